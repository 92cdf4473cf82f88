<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class ServeTest extends LaravelTestCase
{
    public function testAnEventOfTheApplicationArrives(): void
    {
        $server = $this->app->serve();
        $listener = $this->listen($server, 'orders');
        $shipped = $this->app->artisan('app:ship', '7');
        self::assertSame(0, $shipped->code, $shipped->text());
        $event = json_decode($listener->wait()->out, true);
        self::assertSame('App\Events\OrderShipped', $event['event']);
        self::assertSame(7, $event['data']['id'] ?? json_decode($event['data'], true)['id']);
    }
}
