<?php

// SPDX-License-Identifier: MIT
//
// The name that every published config/websockets.php of laravel-websockets has in it.

class_alias(
    Peal\LaravelWebSockets\Dashboard\Authorize::class,
    'BeyondCode\LaravelWebSockets\Dashboard\Http\Middleware\Authorize'
);
