<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

use RuntimeException;

/**
 * A WebSocket that speaks the Pusher protocol: texts of at most 64 KiB, no fragments.
 */
final class WebSocket
{
    /** @var resource */
    private $socket;

    /** @var string */
    public $id;

    public function __construct(int $port, string $key)
    {
        $this->socket = stream_socket_client("tcp://127.0.0.1:{$port}");
        stream_set_timeout($this->socket, 10);
        fwrite($this->socket, "GET /app/{$key}?protocol=7 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            . "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            . "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n\r\n");
        while (trim((string) fgets($this->socket)) !== '') {
            continue;
        }
        $this->id = json_decode($this->receive()['data'], true)['socket_id'];
    }

    /**
     * @param array<string, mixed> $data
     */
    public function send(string $event, array $data): void
    {
        $text = json_encode(['event' => $event, 'data' => $data]);
        $length = strlen($text) < 126 ? chr(0x80 | strlen($text)) : chr(0xfe) . pack('n', strlen($text));
        fwrite($this->socket, "\x81{$length}\0\0\0\0{$text}");
    }

    /**
     * @return array<string, mixed>
     */
    public function receive(): array
    {
        $length = ord($this->bytes(2)[1]) & 0x7f;
        if ($length === 126) {
            $length = unpack('n', $this->bytes(2))[1];
        }

        return json_decode($this->bytes($length), true);
    }

    private function bytes(int $count): string
    {
        $bytes = '';
        while (strlen($bytes) < $count) {
            $more = fread($this->socket, $count - strlen($bytes));
            if ($more === false || $more === '') {
                throw new RuntimeException('The server says nothing more.');
            }
            $bytes .= $more;
        }

        return $bytes;
    }
}
