<?php
// SPDX-License-Identifier: MIT
//
// client.php HOST PORT ID KEY SECRET: calls of the PHP SDK, one JSON array [method, argument, ...] a
// line on stdin; one line of JSON {"ok": result} or {"error": text} a call on stdout. The methods
// are named as in version 7; older versions call them otherwise or have them not.
declare(strict_types=1);

require __DIR__ . '/vendor/autoload.php';

[, $host, $port, $id, $key, $secret] = $argv;
$pusher = new Pusher\Pusher($key, $secret, $id, [
    'host' => $host,
    'port' => (int) $port,
    'scheme' => 'http',
    'useTLS' => false,
    'timeout' => 10,
    'encryption_master_key_base64' => base64_encode('0123456789abcdef0123456789abcdef'),
]);

// Names of version 4.
$old = [
    'getChannels' => 'get_channels',
    'getChannelInfo' => 'get_channel_info',
    'getPresenceUsers' => 'get_users_info',
    'authorizeChannel' => 'socket_auth',
    'authorizePresenceChannel' => 'presence_auth',
];

function call(Pusher\Pusher $pusher, array $old, string $method, array $arguments): mixed
{
    if ($method === 'version') {
        return Pusher\Pusher::$VERSION;
    }
    if ($method === 'has') {
        return method_exists($pusher, $arguments[0]);
    }
    if (!method_exists($pusher, $method) && isset($old[$method])) {
        $method = $old[$method];
    }
    return $pusher->$method(...$arguments);
}

while (($line = fgets(STDIN)) !== false) {
    [$method, $arguments] = json_decode($line, true, 512, JSON_THROW_ON_ERROR);
    try {
        $answer = ['ok' => call($pusher, $old, $method, $arguments)];
    } catch (Throwable $error) {
        $answer = ['error' => get_class($error) . ': ' . $error->getMessage()];
    }
    fwrite(STDOUT, json_encode($answer, JSON_THROW_ON_ERROR) . "\n");
}
