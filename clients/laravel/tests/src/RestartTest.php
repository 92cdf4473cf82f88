<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class RestartTest extends LaravelTestCase
{
    public function testRestartsInPlaceWithTheSettingsOfNow(): void
    {
        $server = $this->app->serve();
        $this->app->env(['PUSHER_APP_SECRET' => 'another-secret-that-is-long']);
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(0, $restart->code, $restart->text());
        self::assertStringContainsString('generation 2', $restart->out);
        self::assertSame(['pid' => $server->pid, 'generation' => 2], $this->live($server));
        $listener = $this->app->start([(string) getenv('PEAL_BINARY'), 'channels', '--host', '127.0.0.1', '--port',
            (string) $server->port, '--app', 'shop:shop-key:another-secret-that-is-long'])->wait();
        self::assertSame(0, $listener->code, $listener->text());
    }

    public function testTheCacheKeyOfLaravelWebsocketsIsHeard(): void
    {
        $server = $this->app->serve();
        $this->app->artisan('app:restart-key');
        $server->process->line('/^peal ready .*generation=2/');
        self::assertSame($server->pid, $this->live($server)['pid']);
        self::assertTrue($server->process->runs());
    }

    public function testAServerWhoseNewSettingsAreWrongGoesOn(): void
    {
        $server = $this->app->serve();
        $this->app->env(['PUSHER_APP_SECRET' => null]);
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(78, $restart->code, $restart->text());
        self::assertStringContainsString('has no secret', $restart->text());
        self::assertSame(['pid' => $server->pid, 'generation' => 1], $this->live($server));
    }

    public function testSettingsThatOnlyPealRefusesAreReportedToo(): void
    {
        $server = $this->app->serve();
        $this->app->env(['PEAL_WORKERS' => 'many']);
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(78, $restart->code, $restart->text());
        self::assertStringContainsString('workers', $restart->text());
        self::assertSame(1, $this->live($server)['generation']);
    }

    public function testItCanEndInsteadForASupervisor(): void
    {
        $this->app->env(['WEBSOCKETS_RESTART' => 'exit']);
        $server = $this->app->serve();
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(0, $restart->code, $restart->text());
        self::assertSame(0, $server->process->wait()->code);
    }

    public function testANewReleaseBehindASymbolicLinkEndsTheCommand(): void
    {
        $link = $this->app->path . '-current';
        symlink($this->app->path, $link);
        try {
            $process = $this->app->start([PHP_BINARY, "{$link}/artisan", 'websockets:serve']);
            $process->line('/^peal ready /');
            unlink($link);
            symlink((string) getenv('LARAVEL_APP'), $link);
            $this->app->artisan('app:restart-key');
            self::assertSame(0, $process->wait()->code);
        } finally {
            unlink($link);
        }
    }

    public function testAServerWithoutTheCommandIsRestartedThroughItsAdminListener(): void
    {
        $admin = '127.0.0.1:' . Application::freePort();
        $this->app->env(['WEBSOCKETS_ADMIN' => $admin]);
        $server = $this->app->start([(string) getenv('PEAL_BINARY'), 'serve', '--port', '0', '--set',
            "admin.listen={$admin}"]);
        $server->line('/^peal ready /');
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(0, $restart->code, $restart->text());
        $server->line('/^peal ready .*generation=2/');
    }

    public function testAnotherApplicationsServerAtTheSameAddressIsLeftAlone(): void
    {
        $admin = '127.0.0.1:' . Application::freePort();
        $this->app->env(['WEBSOCKETS_ADMIN' => $admin, 'LARAVEL_WEBSOCKETS_PORT' => '0']);
        $theirs = $this->app->start([(string) getenv('PEAL_BINARY'), 'serve', '--port', '0', '--set',
            "admin.listen={$admin}"]);
        $pid = (int) preg_replace('/.* pid=(\d+).*/', '$1', $theirs->line('/^peal ready /'));
        $mine = ['PUSHER_APP_ID' => 'other', 'PUSHER_APP_KEY' => 'other-key'];
        foreach ([$mine, ['PUSHER_APP_ID' => 'shop', 'PUSHER_APP_KEY' => 'other-key']] as $values) {
            $this->app->env($values);
            $restart = $this->app->artisan('websockets:restart');
            self::assertSame(0, $restart->code, $restart->text());
            self::assertStringContainsString("does not serve app \"{$values['PUSHER_APP_ID']}\"", $restart->out);
            self::assertStringContainsString('WEBSOCKETS_ADMIN', $restart->out);
            $live = (array) json_decode((string) file_get_contents("http://{$admin}/live"), true);
            self::assertSame([$pid, 1], [$live['pid'], $live['generation']]);
        }
        $own = '127.0.0.1:' . Application::freePort();
        $this->app->env($mine + ['WEBSOCKETS_ADMIN' => $own]);
        $ours = $this->app->start([(string) getenv('PEAL_BINARY'), 'serve', '--port', '0', '--set',
            "admin.listen={$own}"]);
        $ours->line('/^peal ready /');
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(0, $restart->code, $restart->text());
        $ours->line('/^peal ready .*generation=2/');
        self::assertSame(1, json_decode((string) file_get_contents("http://{$admin}/live"), true)['generation']);
    }

    public function testWithoutAServerHereTheSignalIsGivenAllTheSame(): void
    {
        $this->app->env(['WEBSOCKETS_ADMIN' => '127.0.0.1:' . Application::freePort()]);
        $restart = $this->app->artisan('websockets:restart');
        self::assertSame(0, $restart->code, $restart->text());
        self::assertStringContainsString('Broadcasted the restart signal', $restart->out);
    }

    /**
     * @return array<string, int>
     */
    private function live(Server $server): array
    {
        return array_intersect_key($server->admin('/live'), ['pid' => 0, 'generation' => 0]);
    }
}
