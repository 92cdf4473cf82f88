<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Illuminate\Database\QueryException;
use Illuminate\Support\Carbon;
use Peal\LaravelWebSockets\Models\StatisticsEntry;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * Deletes old statistics from the application's database.
 *
 * The command of laravel-websockets 2.x read its number of days from a key that does not exist, and
 * so deleted all; this one reads the documented one.
 */
class CleanCommand extends Command
{
    protected $signature = 'websockets:clean
        {appId? : Only the statistics of this app}
        {--days= : Keep this many days (default: statistics.delete_statistics_older_than_days)}';

    protected $description = 'Delete old statistics from the database';

    public function handle(WebSocketsConfig $config): int
    {
        $days = $this->option('days') ?? (string) $config->statisticsDays();
        if (! ctype_digit((string) $days)) {
            $this->error("--days={$days} is not a number of days.");

            return 64;
        }
        $this->comment('Cleaning WebSocket Statistics...');
        // The server writes times of UTC, whatever the application's time zone.
        $limit = Carbon::now('UTC')->subDays((int) $days)->format('Y-m-d H:i:s');
        $entries = StatisticsEntry::query()->where('created_at', '<', $limit);
        if ($this->argument('appId') !== null) {
            $entries->where('app_id', (string) $this->argument('appId'));
        }
        try {
            $deleted = $entries->delete();
        } catch (QueryException $error) {
            $this->error($error->getMessage());
            $this->line('If there is no table yet: php artisan vendor:publish --tag=migrations '
                . '--provider="Peal\LaravelWebSockets\WebSocketsServiceProvider" && php artisan migrate');

            return 1;
        }
        $this->info("Deleted {$deleted} record(s) from the WebSocket statistics.");

        return 0;
    }
}
