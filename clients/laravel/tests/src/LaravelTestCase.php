<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

use PHPUnit\Framework\TestCase;

/**
 * Each test has an application of its own, and nothing of it is left.
 */
abstract class LaravelTestCase extends TestCase
{
    /** @var Application */
    protected $app;

    protected function setUp(): void
    {
        $path = sprintf('%s/peal-laravel-%d-%s', sys_get_temp_dir(), getmypid(), bin2hex(random_bytes(4)));
        $this->app = new Application((string) getenv('LARAVEL_APP'), $path);
    }

    protected function tearDown(): void
    {
        $this->app->close();
    }

    /**
     * Starts `peal listen` on channels and waits until it is subscribed.
     */
    protected function listen(Server $server, string $channel, int $count = 1): Running
    {
        $listener = $this->app->start([(string) getenv('PEAL_BINARY'), 'listen', $channel, '--json',
            '--count', (string) $count, '--host', '127.0.0.1', '--port', (string) $server->port,
            '--app', 'shop:shop-key:a-secret-that-is-long-enough']);
        $listener->errorLine('/subscribed/i');

        return $listener;
    }
}
