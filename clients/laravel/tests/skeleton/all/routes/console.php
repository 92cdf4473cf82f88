<?php

// SPDX-License-Identifier: MIT

use App\Events\NewNotification;
use App\Events\OrderShipped;
use Illuminate\Support\Facades\Artisan;
use Illuminate\Support\Facades\Cache;
use Illuminate\Support\Facades\DB;

Artisan::command('app:ship {id}', function (string $id) {
    event(new OrderShipped((int) $id));
});

Artisan::command('app:notify {user} {text}', function (string $user, string $text) {
    event(new NewNotification((int) $user, $text));
});

// What deployment scripts of laravel-websockets' users do without its command.
Artisan::command('app:restart-key', function () {
    Cache::forever('beyondcode:websockets:restart', time());
});

Artisan::command('app:statistics {app} {days} {peak}', function (string $app, int $days, int $peak) {
    BeyondCode\LaravelWebSockets\Statistics\Models\WebSocketsStatisticsEntry::query()->insert([
        'app_id' => $app,
        'peak_connections_count' => $peak,
        'websocket_messages_count' => 2,
        'api_messages_count' => 3,
        'created_at' => now()->subDays($days),
    ]);
});

Artisan::command('app:rows', function () {
    $this->line(DB::table('websockets_statistics_entries')->orderBy('id')->get()->toJson());
});

Artisan::command('app:line-of-version-1 {peak} {sent} {got}', function (int $peak, int $sent, int $got) {
    DB::table('websockets_statistics_entries')->insert([
        'app_id' => 'shop',
        'peak_connection_count' => $peak,
        'websocket_message_count' => $sent,
        'api_message_count' => $got,
    ]);
});

Artisan::command('app:queue {count}', function (int $count) {
    for ($n = 0; $n < $count; $n++) {
        event(new NewNotification(1, 'queued'));
    }
});
