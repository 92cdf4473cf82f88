<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Facades;

use Illuminate\Support\Facades\Facade;

/**
 * Of laravel-websockets, for routes/web.php that still has routes of its server.
 *
 * @see \Peal\LaravelWebSockets\Routing\IgnoredRouter
 */
class WebSocketsRouter extends Facade
{
    protected static function getFacadeAccessor()
    {
        return 'websockets.router';
    }
}
