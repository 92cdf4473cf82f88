<?php

// SPDX-License-Identifier: MIT
//
// The name that every published config/websockets.php of laravel-websockets has in it.
// Composer lists a class in its map where it is declared; an alias it does not see.

namespace BeyondCode\LaravelWebSockets\Dashboard\Http\Middleware;

class_alias(\Peal\LaravelWebSockets\Dashboard\Authorize::class, Authorize::class);

if (false) {
    class Authorize
    {
    }
}
