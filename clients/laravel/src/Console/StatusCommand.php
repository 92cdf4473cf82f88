<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Peal\LaravelWebSockets\Server\Status;

/**
 * Says whether the server runs, where, and how busy it is.
 */
class StatusCommand extends Command
{
    private const UNAVAILABLE = 69;

    protected $signature = 'websockets:status {--json : For programs}';

    protected $description = 'Show whether the WebSocket server runs, and what it does';

    public function handle(Status $status): int
    {
        $servers = $status->servers();
        $apps = $status->apps();
        $up = array_filter($servers, static function (array $server) {
            return $server['answers'];
        });
        if ($this->option('json')) {
            $this->line((string) json_encode(['servers' => $servers, 'apps' => $apps], JSON_UNESCAPED_SLASHES));
        } else {
            array_map([$this, 'showServer'], $servers);
            $this->table(['App', 'Connections', 'Channels', ''], array_map(static function (array $app) {
                return [$app['id'], $app['connections'] ?? '-', $app['channels'] ?? '-', $app['problem'] ?? 'ok'];
            }, $apps));
        }

        return $up === [] ? self::UNAVAILABLE : 0;
    }

    /**
     * @param array<string, mixed> $server
     */
    private function showServer(array $server): void
    {
        if (! $server['answers']) {
            $this->error(isset($server['why'])
                ? "{$server['why']} Set WEBSOCKETS_ADMIN to the address of this application's own."
                : "No server answers at {$server['admin']}. Start one: php artisan websockets:serve");

            return;
        }
        $ready = $server['ready'] ? 'ready' : "not ready: {$server['why']}";
        $this->info("Running with pid {$server['pid']}, generation {$server['generation']}, {$ready}");
        if ($server['listen'] !== []) {
            $this->line('  listens on    ' . implode(', ', $server['listen']));
        }
        $this->line("  admin         {$server['admin']}");
        foreach (['websockets', 'published', 'client_events', 'delivered', 'refused'] as $counter) {
            $this->line(sprintf('  %-13s %s', str_replace('_', ' ', $counter), $server['counters'][$counter] ?? '-'));
        }
    }
}
