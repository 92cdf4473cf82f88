<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class ConfigTest extends LaravelTestCase
{
    public function testAFileOfVersion1IsUnderstoodAsItIs(): void
    {
        $this->app->write('config/websockets.php', <<<'PHP'
            <?php
            use BeyondCode\LaravelWebSockets\Dashboard\Http\Middleware\Authorize;
            return [
                'apps' => [
                    ['id' => env('PUSHER_APP_ID'), 'name' => env('APP_NAME'), 'key' => env('PUSHER_APP_KEY'),
                        'secret' => env('PUSHER_APP_SECRET'), 'capacity' => 500, 'enable_client_messages' => false,
                        'enable_statistics' => true],
                    ['id' => 12345, 'key' => 'second-key', 'secret' => 'second-secret-of-length',
                        'enable_client_messages' => true],
                ],
                'app_provider' => BeyondCode\LaravelWebSockets\Apps\ConfigAppProvider::class,
                'allowed_origins' => ['example.com', '*.example.org'],
                'max_request_size_in_kb' => 100,
                'path' => 'sockets',
                'middleware' => ['web', Authorize::class],
                'statistics' => [
                    'model' => \BeyondCode\LaravelWebSockets\Statistics\Models\WebSocketsStatisticsEntry::class,
                    'interval_in_seconds' => 60, 'delete_statistics_older_than_days' => 60,
                    'perform_dns_lookup' => false,
                ],
                'ssl' => ['local_cert' => env('LARAVEL_WEBSOCKETS_SSL_LOCAL_CERT'), 'local_pk' => null],
                'channel_manager' =>
                    \BeyondCode\LaravelWebSockets\WebSockets\Channels\ChannelManagers\ArrayChannelManager::class,
            ];
            PHP);
        $settings = $this->settings();
        self::assertSame(102400, $settings['app_defaults']['limits']['message_bytes']);
        [$first, $second] = $settings['apps'];
        self::assertSame(['shop', 'shop-key', 'none', 500], [$first['id'], $first['key'], $first['client_events'],
            $first['limits']['connections']]);
        self::assertSame(['12345', 'members'], [$second['id'], $second['client_events']]);
        self::assertSame(['example.com', '*.example.org'], $first['allowed_origins']);
        self::assertSame(['example.com', '*.example.org'], $second['allowed_origins']);
        $server = $this->app->serve();
        self::assertStringContainsString('403', (string) get_headers($this->app->env(['APP_ENV' => 'production'])
            ->web() . '/sockets')[0]);
        $show = $this->app->start([(string) getenv('PEAL_BINARY'), 'channels', '--host', '127.0.0.1', '--port',
            (string) $server->port, '--app', '12345:second-key:second-secret-of-length'])->wait();
        self::assertSame(0, $show->code, $show->text());
    }

    public function testAFileOfVersion2IsUnderstoodAsItIs(): void
    {
        $this->app->write('config/websockets.php', <<<'PHP'
            <?php
            return [
                'dashboard' => ['port' => env('LARAVEL_WEBSOCKETS_PORT', 6001), 'path' => 'laravel-websockets',
                    'middleware' => ['web',
                        \BeyondCode\LaravelWebSockets\Dashboard\Http\Middleware\Authorize::class]],
                'managers' => ['app' => \BeyondCode\LaravelWebSockets\Apps\ConfigAppManager::class],
                'apps' => [
                    ['id' => env('PUSHER_APP_ID'), 'name' => env('APP_NAME'), 'host' => env('PUSHER_APP_HOST'),
                        'key' => env('PUSHER_APP_KEY'), 'secret' => env('PUSHER_APP_SECRET'),
                        'path' => env('PUSHER_APP_PATH'), 'capacity' => null, 'enable_client_messages' => true,
                        'enable_statistics' => true, 'allowed_origins' => ['shop.example.com']],
                ],
                'replication' => ['mode' => env('WEBSOCKETS_REPLICATION_MODE', 'redis')],
                'statistics' => ['store' => \BeyondCode\LaravelWebSockets\Statistics\Stores\DatabaseStore::class,
                    'interval_in_seconds' => 60, 'delete_statistics_older_than_days' => 60],
                'max_request_size_in_kb' => 250,
                'ssl' => ['local_cert' => env('LARAVEL_WEBSOCKETS_SSL_LOCAL_CERT', null),
                    'verify_peer' => env('APP_ENV') === 'production'],
                'handlers' => ['websocket' => \BeyondCode\LaravelWebSockets\Server\WebSocketHandler::class,
                    'health' => \App\OwnHealth::class],
                'promise_resolver' => \React\Promise\FulfilledPromise::class,
            ];
            PHP);
        $shown = $this->app->artisan('websockets:config');
        self::assertSame(0, $shown->code, $shown->text());
        self::assertStringContainsString('replication.mode', $shown->text());
        self::assertStringContainsString('App\OwnHealth', $shown->text());
        self::assertStringNotContainsString('WebSocketHandler', $shown->text());
        $app = $this->settings()['apps'][0];
        self::assertSame(['shop.example.com'], $app['allowed_origins']);
        self::assertSame('members', $app['client_events']);
        self::assertArrayNotHasKey('limits', $app);
        $this->app->serve();
    }

    public function testSecretsAreNotShown(): void
    {
        $shown = $this->app->artisan('websockets:config');
        self::assertStringContainsString('shop-key', $shown->out);
        self::assertStringNotContainsString('a-secret-that-is-long-enough', $shown->text());
    }

    /**
     * @dataProvider managers
     */
    public function testAnAppManagerOfOnesOwnIsRefusedWithAnExplanation(string $line, string $class): void
    {
        $this->app->write('config/websockets.php', "<?php return [{$line}];");
        foreach (['websockets:serve', 'websockets:config'] as $command) {
            $ended = $this->app->artisan($command);
            self::assertSame(78, $ended->code, $ended->text());
            self::assertStringContainsString($class, $ended->text());
            self::assertStringContainsString('ConfigAppManager', $ended->text());
        }
    }

    public function managers(): array
    {
        return [
            'version 1' => ["'app_provider' => App\\OwnProvider::class", 'App\OwnProvider'],
            'version 2' => [
                "'managers' => ['app' => \\BeyondCode\\LaravelWebSockets\\Apps\\MysqlAppManager::class]",
                'MysqlAppManager',
            ],
        ];
    }

    public function testACertificateIsRefusedWithAnExplanation(): void
    {
        $this->app->write('config/websockets.php', "<?php return ['ssl' => ['local_cert' => '/etc/cert.pem']];");
        $ended = $this->app->artisan('websockets:serve');
        self::assertSame(78, $ended->code);
        self::assertStringContainsString('nginx', $ended->err);
    }

    public function testMoreOptionsOfPealAreTakenAsTheyAre(): void
    {
        $this->app->write('config/websockets.php', <<<'PHP'
            <?php
            return [
                'apps' => [['id' => 'shop', 'key' => 'shop-key',
                    'secrets' => ['new-"secret"-\\ of length', 'old-secret-of-length'],
                    'peal' => ['cache_ttl_s' => 60, 'limits.presence_members' => 100]]],
                'peal' => ['host' => '127.0.0.1', 'port' => 0, 'admin' => '127.0.0.1:0', 'options' => [
                    'trusted_proxies' => ['10.0.0.0/8'],
                    'log' => ['format' => 'json'],
                    'limits.pending_bytes' => '2MiB',
                ]],
            ];
            PHP);
        $settings = $this->settings();
        self::assertSame(['10.0.0.0/8'], $settings['trusted_proxies']);
        self::assertSame(['format' => 'json'], $settings['log']);
        self::assertSame(60, $settings['apps'][0]['cache_ttl_s']);
        self::assertSame(100, $settings['apps'][0]['limits']['presence_members']);
        $server = $this->app->serve();
        foreach (['new-"secret"-\\ of length', 'old-secret-of-length'] as $secret) {
            $show = $this->app->start([(string) getenv('PEAL_BINARY'), 'channels', '--host', '127.0.0.1', '--port',
                (string) $server->port, '--app', "shop:shop-key:{$secret}"])->wait();
            self::assertSame(0, $show->code, $show->text());
        }
    }

    public function testACachedConfigurationCounts(): void
    {
        self::assertSame(0, $this->app->artisan('config:cache')->code);
        $this->app->env(['PUSHER_APP_KEY' => 'later-key']);
        self::assertSame('shop-key', $this->settings()['apps'][0]['key']);
        $listener = $this->listen($this->app->serve(), 'orders');
        $listener->signal(SIGTERM);
    }

    /**
     * @return array<string, mixed>
     */
    private function settings(): array
    {
        $shown = $this->app->artisan('websockets:config');
        self::assertSame(0, $shown->code, $shown->text());

        return json_decode(substr($shown->out, (int) strpos($shown->out, '{')), true);
    }
}
