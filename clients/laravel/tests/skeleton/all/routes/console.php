<?php

// SPDX-License-Identifier: MIT

use App\Events\NewNotification;
use App\Events\OrderShipped;
use Illuminate\Support\Facades\Artisan;

Artisan::command('app:ship {id}', function (string $id) {
    event(new OrderShipped((int) $id));
});

Artisan::command('app:notify {user} {text}', function (string $user, string $text) {
    event(new NewNotification((int) $user, $text));
});
