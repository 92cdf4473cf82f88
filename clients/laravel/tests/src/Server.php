<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

/**
 * A websockets:serve that serves.
 */
final class Server
{
    /** @var Running */
    public $process;

    /** @var int */
    public $port;

    /** @var string */
    public $admin;

    /** @var int the pid of peal itself */
    public $pid;

    public function __construct(Running $process, string $ready)
    {
        $this->process = $process;
        preg_match('/ port=(\d+) admin=(\S+) .*pid=(\d+)/', $ready, $found);
        [, $port, $this->admin, $pid] = $found;
        $this->port = (int) $port;
        $this->pid = (int) $pid;
    }

    /**
     * @return array<mixed>
     */
    public function admin(string $path): array
    {
        return (array) json_decode((string) file_get_contents("http://{$this->admin}{$path}"), true);
    }
}
