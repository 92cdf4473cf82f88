<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class ServeTest extends LaravelTestCase
{
    private const SECRET = 'a-secret-that-is-long-enough';

    public function testAnEventOfTheApplicationArrives(): void
    {
        $server = $this->app->serve();
        $listener = $this->listen($server, 'orders');
        $shipped = $this->app->artisan('app:ship', '7');
        self::assertSame(0, $shipped->code, $shipped->text());
        $event = json_decode($listener->wait()->out, true);
        self::assertSame('App\Events\OrderShipped', $event['event']);
        self::assertSame(['id' => 7], self::data($event));
    }

    public function testAPrivateEventWithANameOfItsOwnArrivesUnchanged(): void
    {
        $server = $this->app->serve();
        $listener = $this->listen($server, 'private-notifications.7');
        $this->app->artisan('app:notify', '7', '您有一筆新訂單! "Zoë" 🚀');
        $event = json_decode($listener->wait()->out, true);
        self::assertSame('new.notification', $event['event']);
        self::assertSame(['text' => '您有一筆新訂單! "Zoë" 🚀'], self::data($event));
    }

    public function testReverbsDriverWorksWithAnAppOfItsOwn(): void
    {
        if (Application::major() < 10) {
            self::markTestSkipped('Laravel has the driver since version 10.');
        }
        $this->app->env(['BROADCAST_CONNECTION' => 'reverb', 'PUSHER_APP_ID' => null, 'PUSHER_APP_KEY' => null,
            'PUSHER_APP_SECRET' => null, 'REVERB_APP_ID' => 'shop', 'REVERB_APP_KEY' => 'shop-key',
            'REVERB_APP_SECRET' => self::SECRET, 'REVERB_HOST' => '127.0.0.1', 'REVERB_SCHEME' => 'http']);
        $server = $this->app->serve();
        $this->app->env(['REVERB_PORT' => $server->port]);
        $listener = $this->listen($server, 'orders');
        $this->app->artisan('app:ship', '8');
        self::assertSame(['id' => 8], self::data(json_decode($listener->wait()->out, true)));
    }

    /**
     * @dataProvider signals
     */
    public function testASignalEndsTheServerAndTheCommandWithItsCode(int $signal): void
    {
        $server = $this->app->serve();
        $server->process->signal($signal);
        $ended = $server->process->wait();
        self::assertSame(0, $ended->code, $ended->text());
        self::assertStringContainsString('server stopping', $ended->err);
        self::assertFileDoesNotExist("/proc/{$server->pid}");
        self::assertSame([], glob($this->app->path . '/storage/framework/peal/serve-*'));
    }

    public function signals(): array
    {
        return ['TERM' => [SIGTERM], 'INT' => [SIGINT]];
    }

    public function testTheServersOwnExitCodeIsTheCommands(): void
    {
        $server = $this->app->serve();
        $second = $this->app->artisan('websockets:serve', '--port', (string) $server->port);
        self::assertSame(69, $second->code, $second->text());
        self::assertStringContainsString((string) $server->port, $second->err);
    }

    public function testNoSecretShowsInTheListOfProcesses(): void
    {
        $server = $this->app->serve();
        foreach ([$server->pid, $server->process->pid] as $pid) {
            self::assertStringNotContainsString(self::SECRET, file_get_contents("/proc/{$pid}/cmdline"));
        }
        self::assertStringNotContainsString(self::SECRET, file_get_contents("/proc/{$server->pid}/environ"));
        $files = glob($this->app->path . '/storage/framework/peal/serve-*.yaml*');
        self::assertCount(2, $files);
        foreach ($files as $file) {
            self::assertSame(0600, fileperms($file) & 0777, $file);
        }
    }

    public function testAKilledCommandLeavesNoServerBehind(): void
    {
        $server = $this->app->serve();
        $server->process->signal(SIGKILL);
        $server->process->wait();
        $again = $this->app->serve('--port', (string) $server->port);
        self::assertNotSame($server->pid, $again->pid);
        self::assertSame('', (string) @file_get_contents("/proc/{$server->pid}/cmdline"), 'it runs on');
        self::assertCount(1, glob($this->app->path . '/storage/framework/peal/serve-*.json'));
    }

    public function testWithoutTheExtensionPcntlItRestartsAndEndsAllTheSame(): void
    {
        $process = $this->app->start([PHP_BINARY, '-d', 'disable_functions=pcntl_signal,pcntl_async_signals',
            'artisan', 'websockets:serve']);
        $server = new Server($process, $process->line('/^peal ready /'));
        $restart = $this->app->artisan('websockets:restart');
        self::assertStringContainsString('generation 2', $restart->out, $restart->text());
        $process->signal(SIGTERM);
        $process->wait();
        $this->app->start(['sh', '-c', "while grep -q serve /proc/{$server->pid}/cmdline 2>/dev/null; do :; done"])
            ->wait();
        self::assertSame('', (string) @file_get_contents("/proc/{$server->pid}/cmdline"));
    }

    public function testALogThatTheShellHasOpenedKeepsItsStart(): void
    {
        $log = "{$this->app->path}/storage/logs/serve.log";
        $process = $this->app->start(['sh', '-c', 'exec >"$0" 2>&1; echo "the first line"; '
            . 'exec "$1" artisan websockets:serve', $log, PHP_BINARY]);
        $text = $process->until(static function () use ($log) {
            $text = (string) @file_get_contents($log);

            return strpos($text, 'peal ready ') === false ? null : $text;
        }, 'the server');
        self::assertStringStartsWith("the first line\nStarting the WebSocket server...\n", $text);
        self::assertSame(1, substr_count($text, 'peal ready '));
        self::assertStringNotContainsString("\0", $text);
    }

    public function testHangupReadsTheApplicationsSettingsAgain(): void
    {
        $server = $this->app->serve();
        $this->app->env(['PUSHER_APP_ID' => 'other', 'PUSHER_APP_KEY' => 'other-key']);
        $server->process->signal(SIGHUP);
        $server->process->errorLine('/server reloaded/');
        self::assertTrue($server->process->runs());
        $status = $this->app->artisan('websockets:status', '--json');
        self::assertSame('other', json_decode($status->out, true)['apps'][0]['id']);
        self::assertArrayHasKey('connections', json_decode($status->out, true)['apps'][0]);
    }

    public function testVariablesOfPealInTheDotEnvFileCount(): void
    {
        $this->app->env(['PEAL_LOG_FORMAT' => 'json', 'PEAL_PATH_PREFIX' => '/ws']);
        $server = $this->app->serve();
        self::assertStringStartsWith('{"ts"', $server->process->errorLine('/descriptors/'));
        self::assertStringContainsString(
            '404',
            @get_headers("http://127.0.0.1:{$server->port}/app/shop-key")[0]
        );
    }

    public function testAPealYamlReplacesTheConfiguration(): void
    {
        $this->app->write('own.yaml', "host: 127.0.0.1\nport: 0\nadmin: {listen: '127.0.0.1:0'}\n"
            . "apps:\n  - {id: own, key: own-key, secret: own-secret-of-some-length}\n");
        $server = $this->app->serve('--config', 'own.yaml', '--debug');
        self::assertNotEmpty($server->admin('/live'));
        $this->app->start([(string) getenv('PEAL_BINARY'), 'channels', '--host', '127.0.0.1', '--port',
            (string) $server->port, '--app', 'own:own-key:own-secret-of-some-length'])->wait();
        $server->process->errorLine('/ debug .*api served/');
    }

    public function testWithoutAProgramItSaysHowToGetOne(): void
    {
        $ended = $this->app->start([PHP_BINARY, 'artisan', 'websockets:serve'], ['WEBSOCKETS_PEAL_BINARY' => '/none'])
            ->wait();
        self::assertSame(69, $ended->code);
        self::assertStringContainsString('/none', $ended->text());
        self::assertStringContainsString('WEBSOCKETS_PEAL_BINARY', $ended->text());
    }

    public function testWithoutAnAppItSaysWhereToPutOne(): void
    {
        $this->app->env(['PUSHER_APP_ID' => null, 'PUSHER_APP_KEY' => null, 'PUSHER_APP_SECRET' => null]);
        $ended = $this->app->artisan('websockets:serve');
        self::assertSame(78, $ended->code);
        self::assertStringContainsString('PUSHER_APP_ID', $ended->err);
    }

    /**
     * @param array<string, mixed> $event
     *
     * @return array<string, mixed>
     */
    private static function data(array $event): array
    {
        return is_array($event['data']) ? $event['data'] : json_decode($event['data'], true);
    }
}
