<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Http;

/**
 * Connects as a browser would, as far as the server's first word, and keeps the connection until it
 * is closed: so one can ask the server meanwhile what it knows about it.
 */
final class SocketProbe
{
    private const PATIENCE = 5;

    /** A first frame is shorter; what is longer is none. */
    private const LONGEST = 65536;

    /** @var Address */
    private $address;

    /** @var resource|null */
    private $socket;

    /** @var string what the first step that failed said; empty = none failed */
    private $error = '';

    /** @var int of the answer to the upgrade; 0 = there was none */
    private $status = 0;

    /** @var string */
    private $body = '';

    /** @var array<string, mixed> the first frame */
    private $frame = [];

    public function __construct(Address $address)
    {
        $this->address = $address;
    }

    public function connect(string $key, string $origin): void
    {
        $this->socket = $this->open();
        if ($this->socket === null) {
            return;
        }
        stream_set_timeout($this->socket, self::PATIENCE);
        fwrite($this->socket, implode("\r\n", [
            "GET {$this->address->prefix()}/app/{$key}?protocol=7&client=peal-doctor&version=1 HTTP/1.1",
            "Host: {$this->address->authority()}",
            "Origin: {$origin}",
            'Upgrade: websocket',
            'Connection: Upgrade',
            'Sec-WebSocket-Version: 13',
            'Sec-WebSocket-Key: ' . base64_encode(random_bytes(16)),
            '',
            '',
        ]));
        $head = $this->head();
        if (! preg_match('~^HTTP/1\.\d (\d{3})~', $head, $found)) {
            $this->error = 'it does not answer in HTTP';

            return;
        }
        $this->status = (int) $found[1];
        if ($this->status === 101) {
            $this->frame = (array) json_decode($this->text(), true);
        } else {
            $this->body = trim(strip_tags((string) fread($this->socket, 2048)));
        }
    }

    public function close(): void
    {
        if ($this->socket !== null) {
            fclose($this->socket);
            $this->socket = null;
        }
    }

    public function error(): string
    {
        return $this->error;
    }

    public function status(): int
    {
        return $this->status;
    }

    public function body(): string
    {
        return mb_strimwidth($this->body, 0, 300, '…');
    }

    /**
     * pusher:connection_established, or pusher:error.
     */
    public function event(): string
    {
        return (string) ($this->frame['event'] ?? '');
    }

    /**
     * @return array<string, mixed>
     */
    public function data(): array
    {
        $data = $this->frame['data'] ?? [];

        return is_array($data) ? $data : (array) json_decode((string) $data, true);
    }

    /**
     * @return resource|null
     */
    private function open()
    {
        $scheme = $this->address->tls() ? 'ssl' : 'tcp';
        $context = stream_context_create(['ssl' => ['peer_name' => $this->address->host()]]);
        error_clear_last();
        $socket = @stream_socket_client(
            "{$scheme}://{$this->address->authority()}",
            $number,
            $why,
            self::PATIENCE,
            STREAM_CLIENT_CONNECT,
            $context
        );
        if ($socket === false) {
            // PHP says of TLS only in a warning what went wrong.
            $last = preg_replace('/^stream_socket_client\(\): /', '', (string) (error_get_last()['message'] ?? ''));
            $this->error = $why !== '' ? $why : trim((string) $last);

            return null;
        }

        return $socket;
    }

    private function head(): string
    {
        $head = '';
        while (($line = fgets($this->socket, 8192)) !== false && trim($line) !== '') {
            $head .= $line;
        }

        return $head;
    }

    /**
     * The text of the first frame; servers do not mask.
     */
    private function text(): string
    {
        $head = $this->bytes(2);
        if (strlen($head) < 2) {
            return '';
        }
        $length = ord($head[1]) & 0x7f;
        if ($length === 126) {
            $length = unpack('n', $this->bytes(2) . "\0\0")[1];
        }

        return $length < self::LONGEST ? $this->bytes($length) : '';
    }

    private function bytes(int $count): string
    {
        $bytes = '';
        while (strlen($bytes) < $count && ($more = fread($this->socket, $count - strlen($bytes))) !== false) {
            if ($more === '') {
                break;
            }
            $bytes .= $more;
        }

        return $bytes;
    }
}
