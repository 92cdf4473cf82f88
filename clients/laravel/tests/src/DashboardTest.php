<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class DashboardTest extends LaravelTestCase
{
    private const SECRET = 'a-secret-that-is-long-enough';

    private const PATHS = ['', '/api/status', '/api/shop/channels', '/api/shop/statistics', '/assets/dashboard.js'];

    public function testInTheLocalEnvironmentItShowsTheServer(): void
    {
        $server = $this->app->serve();
        $web = new Web($this->app->web() . '/laravel-websockets');
        $page = $web->get('');
        self::assertSame(200, $web->status, $page);
        self::assertStringContainsString('shop-key', $page);
        foreach (['dashboard.js', 'dashboard.css'] as $file) {
            self::assertStringContainsString("/laravel-websockets/assets/{$file}", $page);
            self::assertStringContainsString('SPDX', $web->get("/assets/{$file}"));
        }
        $web->get('/assets/..%2F..%2Fcomposer.json');
        self::assertSame(404, $web->status);
        $listener = $this->listen($server, 'orders');
        $status = $web->json('/api/status');
        self::assertSame($server->pid, $status['servers'][0]['pid']);
        self::assertSame(1, $status['apps'][0]['connections']);
        self::assertSame('orders', $web->json('/api/shop/channels')['channels'][0]['name']);
        $listener->signal(SIGTERM);
    }

    public function testItsRoutesCanBeCached(): void
    {
        self::assertSame(0, $this->app->artisan('route:cache')->code);
        $web = new Web($this->app->web() . '/laravel-websockets');
        foreach (['', '/assets/dashboard.js'] as $path) {
            $web->get($path);
            self::assertSame(200, $web->status, $path);
        }
    }

    public function testNoAnswerHasASecretInIt(): void
    {
        $this->app->serve();
        $web = new Web($this->app->web() . '/laravel-websockets');
        foreach (self::PATHS as $path) {
            self::assertStringNotContainsString(self::SECRET, $web->get($path));
            self::assertSame(200, $web->status, $path);
        }
    }

    public function testTheEventCreatorReachesSubscribers(): void
    {
        $server = $this->app->serve();
        $listener = $this->listen($server, 'orders');
        $web = new Web($this->app->web() . '/laravel-websockets');
        $web->get('');
        $event = ['appId' => 'shop', 'channel' => 'orders', 'event' => 'App\Events\Test',
            'data' => '{"n":1.50,"x":"新"}'];
        self::assertSame(['ok' => true], $web->post('/event', $event));
        $heard = json_decode($listener->wait()->out, true);
        self::assertSame('App\Events\Test', $heard['event']);
        $wrong = $web->post('/event', ['data' => '{no json'] + $event);
        self::assertSame(422, $web->status);
        self::assertArrayHasKey('data', $wrong['errors']);
        $web->post('/event', ['appId' => 'none'] + $event);
        self::assertSame(404, $web->status);
        $refused = $web->post('/event', ['event' => 'pusher:x'] + $event);
        self::assertSame(422, $web->status);
        self::assertStringContainsString('pusher:', $refused['error']);
    }

    public function testItsConnectionIsLetIntoPrivateAndPresenceChannels(): void
    {
        $server = $this->app->serve();
        $web = new Web($this->app->web() . '/laravel-websockets');
        $web->get('');
        $socket = new WebSocket($server->port, 'shop-key');
        foreach (['private-orders', 'presence-room'] as $channel) {
            $auth = $web->post('/auth', ['appId' => 'shop', 'socket_id' => $socket->id, 'channel_name' => $channel]);
            $socket->send('pusher:subscribe', ['channel' => $channel] + $auth);
            $answer = $socket->receive();
            self::assertSame('pusher_internal:subscription_succeeded', $answer['event'], json_encode($answer));
            self::assertSame($channel, $answer['channel']);
        }
        $web->post('/auth', ['appId' => 'shop', 'socket_id' => '1.2:private-x', 'channel_name' => 'private-orders']);
        self::assertSame(422, $web->status);
    }

    public function testElsewhereThanLocalNobodyIsLetIn(): void
    {
        $this->app->env(['APP_ENV' => 'production', 'APP_DEBUG' => 'false']);
        $this->app->serve();
        $web = new Web($this->app->web() . '/laravel-websockets', ['X-User: 7']);
        foreach (self::PATHS as $path) {
            $body = $web->get($path);
            self::assertSame(403, $web->status, $path);
            self::assertStringNotContainsString('shop-key', $body);
            self::assertStringNotContainsString(self::SECRET, $body);
        }
    }

    public function testTheGateSaysWhoIsLetIn(): void
    {
        $this->app->env(['APP_ENV' => 'production', 'APP_DEBUG' => 'false', 'TEST_GATE_USER' => '7']);
        $this->app->serve();
        $base = $this->app->web() . '/laravel-websockets';
        foreach (['7' => 200, '8' => 403, '' => 403] as $user => $status) {
            $web = new Web($base, $user === '' ? [] : ["X-User: {$user}"]);
            $web->get('');
            self::assertSame($status, $web->status, "user {$user}");
        }
    }

    public function testWithAGoodTokenTheGateIsWhatRefusesToPost(): void
    {
        $this->app->serve();
        $web = new Web($this->app->web() . '/laravel-websockets');
        $web->get('');
        $posts = ['/event' => ['appId' => 'shop', 'channel' => 'a', 'event' => 'b', 'data' => '{}'],
            '/auth' => ['appId' => 'shop', 'socket_id' => '1.2', 'channel_name' => 'private-a']];
        foreach ($posts as $path => $body) {
            $web->post($path, $body);
            self::assertSame(200, $web->status, $path);
        }
        $this->app->env(['APP_ENV' => 'production', 'APP_DEBUG' => 'false']);
        foreach ($posts as $path => $body) {
            $web->post($path, $body);
            self::assertSame(403, $web->status, $path);
        }
    }

    public function testStatisticsHaveTheShapeOfLaravelWebsockets(): void
    {
        $provider = 'Peal\LaravelWebSockets\WebSocketsServiceProvider';
        $this->app->artisan('vendor:publish', "--provider={$provider}", '--tag=migrations');
        $this->app->artisan('migrate', '--force');
        $web = new Web($this->app->web() . '/laravel-websockets');
        self::assertSame([], $web->json('/api/shop/statistics')['peak_connections']['y']);
        $this->app->artisan('app:statistics', 'shop', '2', '5');
        $this->app->artisan('app:statistics', 'shop', '1', '6');
        $figures = $web->json('/api/shop/statistics');
        self::assertSame([5, 6], $figures['peak_connections']['y']);
        self::assertSame([2, 2], $figures['websocket_messages_count']['y']);
        self::assertSame([3, 3], $figures['api_messages_count']['y']);
        self::assertCount(2, $figures['peak_connections']['x']);
        $time = '/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/';
        self::assertMatchesRegularExpression($time, $figures['peak_connections']['x'][0]);
    }
}
