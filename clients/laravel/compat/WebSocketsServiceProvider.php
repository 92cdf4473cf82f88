<?php

// SPDX-License-Identifier: MIT
//
// The name of laravel-websockets' provider, for applications whose files still say it.

class_alias(
    Peal\LaravelWebSockets\WebSocketsServiceProvider::class,
    'BeyondCode\LaravelWebSockets\WebSocketsServiceProvider'
);
