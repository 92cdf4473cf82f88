<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class StatusTest extends LaravelTestCase
{
    public function testARunningServerAndItsApps(): void
    {
        $server = $this->app->serve();
        $listener = $this->listen($server, 'orders');
        $status = $this->app->artisan('websockets:status');
        self::assertSame(0, $status->code, $status->text());
        self::assertStringContainsString("Running with pid {$server->pid}, generation 1, ready", $status->out);
        self::assertStringContainsString("127.0.0.1:{$server->port}", $status->out);
        $json = json_decode($this->app->artisan('websockets:status', '--json')->out, true);
        self::assertSame(['shop', 1, 1], [$json['apps'][0]['id'], $json['apps'][0]['connections'],
            $json['apps'][0]['channels']]);
        self::assertSame(1, $json['servers'][0]['counters']['websockets']);
        $listener->signal(SIGTERM);
    }

    public function testNoServer(): void
    {
        $this->app->env(['WEBSOCKETS_ADMIN' => '127.0.0.1:' . Application::freePort(),
            'PUSHER_PORT' => Application::freePort()]);
        $status = $this->app->artisan('websockets:status');
        self::assertSame(69, $status->code, $status->text());
        self::assertStringContainsString('websockets:serve', $status->out);
    }
}
