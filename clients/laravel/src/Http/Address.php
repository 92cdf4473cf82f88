<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Http;

/**
 * Where a server is reached.
 */
final class Address
{
    /** @var string */
    private $host;

    /** @var int */
    private $port;

    /** @var bool */
    private $tls;

    /** @var string without slashes at its ends */
    private $path;

    public function __construct(string $host, int $port, bool $tls = false, string $path = '')
    {
        $this->host = $host;
        $this->port = $port;
        $this->tls = $tls;
        $this->path = trim($path, '/');
    }

    public function host(): string
    {
        return $this->host;
    }

    public function port(): int
    {
        return $this->port;
    }

    public function tls(): bool
    {
        return $this->tls;
    }

    public function prefix(): string
    {
        return $this->path === '' ? '' : '/' . $this->path;
    }

    /**
     * host:port as it stands in a URL.
     */
    public function authority(): string
    {
        $bare = strpos($this->host, ':') !== false && $this->host[0] !== '[';

        return ($bare ? "[{$this->host}]" : $this->host) . ':' . $this->port;
    }

    public function url(): string
    {
        return ($this->tls ? 'https' : 'http') . '://' . $this->authority();
    }

    public function isLoopback(): bool
    {
        return in_array($this->host, ['localhost', '::1', '[::1]'], true) || strncmp($this->host, '127.', 4) === 0;
    }
}
