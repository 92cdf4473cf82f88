<?php

// SPDX-License-Identifier: MIT
//
// The name of laravel-websockets' provider, for applications whose files still say it.
// Composer lists a class in its map where it is declared; an alias it does not see.

namespace BeyondCode\LaravelWebSockets;

class_alias(\Peal\LaravelWebSockets\WebSocketsServiceProvider::class, WebSocketsServiceProvider::class);

if (false) {
    class WebSocketsServiceProvider
    {
    }
}
