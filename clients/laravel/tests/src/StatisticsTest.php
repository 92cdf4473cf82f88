<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

/**
 * The server writes its statistics into the application's database.
 */
final class StatisticsTest extends LaravelTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $help = $this->app->start([(string) getenv('PEAL_BINARY'), 'help', 'options'])->wait();
        if (! preg_match('/^  store  \(/m', $help->out)) {
            self::markTestSkipped('This server keeps no statistics.');
        }
    }

    public function testALineOfTheServerIsInTheApplicationsTable(): void
    {
        $this->migrate();
        $server = $this->app->serve('--statistics-interval=1');
        $listener = $this->listen($server, 'orders', 2);
        $this->app->artisan('app:ship', '1');
        $row = $listener->until(function () {
            $rows = json_decode($this->app->artisan('app:rows')->out, true);

            return array_values(array_filter((array) $rows, static function (array $row) {
                return (int) $row['api_messages_count'] > 0;
            }))[0] ?? null;
        }, 'a line of statistics');
        self::assertSame('shop', $row['app_id']);
        self::assertSame(1, (int) $row['peak_connections_count']);
        self::assertSame(1, (int) $row['api_messages_count']);
    }

    public function testAnAppThatWantsNoneHasNone(): void
    {
        $this->migrate();
        $this->app->write('config/websockets.php', "<?php return ['apps' => [['id' => 'shop', 'key' => 'shop-key', "
            . "'secret' => 'a-secret-that-is-long-enough', 'enable_statistics' => false]]];");
        $settings = json_decode($this->app->artisan('websockets:config')->out, true);
        self::assertFalse($settings['apps'][0]['statistics']);
        self::assertStringStartsWith('sqlite:', $settings['store']);
    }

    public function testWithoutTheTableTheServerKeepsItsOwn(): void
    {
        self::assertArrayNotHasKey('store', json_decode($this->app->artisan('websockets:config')->out, true));
    }

    private function migrate(): void
    {
        $this->app->artisan('vendor:publish', '--tag=migrations', '--provider='
            . 'Peal\LaravelWebSockets\WebSocketsServiceProvider');
        self::assertSame(0, $this->app->artisan('migrate', '--force')->code);
    }
}
