<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Peal\LaravelWebSockets\Settings\AppSettings;

/**
 * Asks a server's admin listener. It needs no secret: it listens on loopback or a Unix socket.
 */
final class AdminClient
{
    /** @var string host:port or unix:/path */
    private $address;

    public function __construct(string $address)
    {
        $this->address = $address;
    }

    public function address(): string
    {
        return $this->address;
    }

    /**
     * @return array<string, mixed>|null null where nobody answers
     */
    public function live(): ?array
    {
        return $this->get('/live');
    }

    /**
     * Null where nobody answers; {"ready":false,"why":…,"reasons":[…]} is an answer.
     *
     * @return array<string, mixed>|null
     */
    public function ready(): ?array
    {
        return $this->get('/ready');
    }

    /**
     * Counters, one array for each worker.
     *
     * @return array<int, array<string, int>>|null
     */
    public function workers(): ?array
    {
        return $this->get('/admin/workers');
    }

    /**
     * Whether it serves one of these apps, by id and key. On one machine the default address may be
     * another application's server.
     *
     * @param AppSettings[] $apps
     */
    public function serves(array $apps): bool
    {
        $known = [];
        foreach ((array) $this->get('/admin/apps') as $app) {
            $known[] = is_array($app) ? [(string) ($app['id'] ?? ''), (string) ($app['key'] ?? '')] : [];
        }
        foreach ($apps as $app) {
            if (in_array([$app->id(), $app->key()], $known, true)) {
                return true;
            }
        }

        return false;
    }

    /**
     * Where a connection comes from, in the server's eyes.
     */
    public function peerOf(string $appId, string $socketId): ?string
    {
        foreach ((array) $this->get('/admin/connections?app=' . rawurlencode($appId)) as $connection) {
            if (is_array($connection) && ($connection['socket_id'] ?? null) === $socketId) {
                return (string) ($connection['peer'] ?? '');
            }
        }

        return null;
    }

    /**
     * @return array<mixed>|null
     */
    private function get(string $path): ?array
    {
        $curl = curl_init();
        $options = [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 2,
            CURLOPT_TIMEOUT => 5,
            CURLOPT_PROXY => '',
            CURLOPT_URL => 'http://' . $this->reachable() . $path,
        ];
        if (strncmp($this->address, 'unix:', 5) === 0) {
            $options[CURLOPT_UNIX_SOCKET_PATH] = substr($this->address, 5);
            $options[CURLOPT_URL] = 'http://localhost' . $path;
        }
        curl_setopt_array($curl, $options);
        $body = curl_exec($curl);
        $answer = is_string($body) ? json_decode($body, true) : null;

        return is_array($answer) ? $answer : null;
    }

    /**
     * A server that listens on all addresses is reached by one.
     */
    private function reachable(): string
    {
        return preg_replace(['/^0\.0\.0\.0:/', '/^\[::\]:/'], ['127.0.0.1:', '[::1]:'], $this->address);
    }
}
