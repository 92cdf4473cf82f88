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

    public function testAnotherApplicationsServerIsNotTakenForOnesOwn(): void
    {
        $admin = '127.0.0.1:' . Application::freePort();
        $this->app->env(['WEBSOCKETS_ADMIN' => $admin]);
        $theirs = $this->app->start([(string) getenv('PEAL_BINARY'), 'serve', '--port', '0', '--set',
            "admin.listen={$admin}"]);
        $theirs->line('/^peal ready /');
        self::assertSame(0, $this->app->artisan('websockets:status')->code);
        $this->app->env(['PUSHER_APP_ID' => 'other', 'PUSHER_APP_KEY' => 'other-key']);
        $status = $this->app->artisan('websockets:status');
        self::assertSame(69, $status->code, $status->text());
        self::assertStringContainsString("answers at {$admin}, but it does not serve app \"other\"", $status->out);
        self::assertStringContainsString('WEBSOCKETS_ADMIN', $status->out);
        $findings = json_decode($this->app->artisan('websockets:doctor', '--json')->out, true);
        $server = array_values(array_filter((array) $findings, static function (array $finding) {
            return $finding['subject'] === 'Server' && $finding['level'] === 'problem';
        }));
        self::assertStringContainsString('does not serve app', $server[0]['text'] ?? '');
        self::assertStringContainsString('WEBSOCKETS_ADMIN', $server[0]['fix']);
    }
}
