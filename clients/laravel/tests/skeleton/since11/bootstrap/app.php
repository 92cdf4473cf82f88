<?php

// SPDX-License-Identifier: MIT

use Illuminate\Foundation\Application;
use Illuminate\Foundation\Configuration\Exceptions;
use Illuminate\Foundation\Configuration\Middleware;
use Illuminate\Http\Middleware\HandleCors;

return Application::configure(basePath: dirname(__DIR__))
    ->withRouting(
        web: __DIR__ . '/../routes/web.php',
        commands: __DIR__ . '/../routes/console.php',
    )
    ->withProviders([
        App\Providers\AppServiceProvider::class,
        App\Providers\BroadcastServiceProvider::class,
    ])
    ->withMiddleware(function (Middleware $middleware) {
        // What it needs, fruitcake/php-cors, is not everywhere to be had.
        $middleware->remove(HandleCors::class);
    })
    ->withExceptions(function (Exceptions $exceptions) {
    })
    ->create();
