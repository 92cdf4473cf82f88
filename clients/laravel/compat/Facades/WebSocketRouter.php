<?php

// SPDX-License-Identifier: MIT
//
// The name of the router's facade in laravel-websockets 2.x, which stands in routes of applications.
// Composer lists a class in its map where it is declared; an alias it does not see.

namespace BeyondCode\LaravelWebSockets\Facades;

class_alias(\Peal\LaravelWebSockets\Facades\WebSocketsRouter::class, WebSocketRouter::class);

if (false) {
    class WebSocketRouter
    {
    }
}
