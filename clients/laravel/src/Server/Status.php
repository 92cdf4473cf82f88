<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Peal\LaravelWebSockets\Http\ApiClient;
use Peal\LaravelWebSockets\Settings\Addresses;
use Peal\LaravelWebSockets\Settings\AppSettings;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * What the servers of this application say of themselves. Without secrets: it goes to terminals and
 * to the dashboard.
 */
final class Status
{
    /** @var WebSocketsConfig */
    private $config;

    /** @var StateFolder */
    private $folder;

    /** @var Addresses */
    private $addresses;

    public function __construct(WebSocketsConfig $config, StateFolder $folder, Addresses $addresses)
    {
        $this->config = $config;
        $this->folder = $folder;
        $this->addresses = $addresses;
    }

    /**
     * Servers on this machine: those of websockets:serve, or else the one at the configured address.
     *
     * @return array<int, array<string, mixed>>
     */
    public function servers(): array
    {
        $servers = [];
        foreach ($this->folder->running() as $state) {
            $servers[] = $this->server((string) $state->get('admin'), (array) $state->get('listen', []));
        }

        return $servers === [] ? [$this->atConfiguredAddress()] : $servers;
    }

    /**
     * Why a Peal that answers at the configured address is not this application's.
     *
     * @return string|null null where it is
     */
    public function foreign(AdminClient $admin): ?string
    {
        $apps = $this->config->apps();
        if ($admin->serves($apps)) {
            return null;
        }
        $ids = implode(', ', array_map(static function (AppSettings $app) {
            return "\"{$app->id()}\"";
        }, $apps));

        return "A Peal answers at {$admin->address()}, but it does not serve app {$ids} with this application's key.";
    }

    /**
     * @return array<int, array<string, mixed>>
     */
    public function apps(): array
    {
        return array_map([$this, 'app'], $this->config->apps());
    }

    /**
     * @return array<string, mixed>
     */
    public function app(AppSettings $app): array
    {
        $api = new ApiClient($this->addresses->api($app), $app);
        $channels = $api->get('/channels');
        $answer = ['id' => $app->id(), 'name' => $app->name()];
        if (! $channels->ok()) {
            return $answer + ['problem' => $channels->why()];
        }

        return $answer + [
            'connections' => (int) ($api->get('/connections')->json()['connections'] ?? 0),
            'channels' => count((array) ($channels->json()['channels'] ?? [])),
        ];
    }

    /**
     * @return array<string, mixed>
     */
    private function atConfiguredAddress(): array
    {
        $admin = $this->config->admin();
        $server = $this->server($admin, []);
        $why = $server['answers'] ? $this->foreign(new AdminClient($admin)) : null;

        return $why === null ? $server : ['answers' => false, 'admin' => $admin, 'why' => $why];
    }

    /**
     * @param string[] $listen
     *
     * @return array<string, mixed>
     */
    private function server(string $admin, array $listen): array
    {
        $client = new AdminClient($admin);
        $live = $client->live();
        if ($live === null) {
            return ['answers' => false, 'admin' => $admin];
        }
        $ready = (array) $client->ready();

        return [
            'answers' => true,
            'admin' => $admin,
            'listen' => $listen,
            'pid' => $live['pid'] ?? null,
            'generation' => $live['generation'] ?? null,
            'ready' => (bool) ($ready['ready'] ?? false),
            'why' => $ready['why'] ?? null,
            'counters' => $this->sum((array) $client->workers()),
        ];
    }

    /**
     * @param array<int, array<string, int>> $workers
     *
     * @return array<string, int>
     */
    private function sum(array $workers): array
    {
        $sums = [];
        foreach ($workers as $worker) {
            foreach ($worker as $name => $count) {
                if ($name !== 'worker') {
                    $sums[$name] = ($sums[$name] ?? 0) + (int) $count;
                }
            }
        }

        return $sums;
    }
}
