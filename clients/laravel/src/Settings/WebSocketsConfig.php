<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

use Illuminate\Contracts\Config\Repository;

/**
 * What config/websockets.php says, whichever version wrote it.
 *
 * laravel-websockets 1.x has `path`, `middleware`, `app_provider` and `allowed_origins` at the top;
 * 2.x moved them into `dashboard`, `managers` and the apps. Our defaults are of the second shape and
 * are merged into the application's file, so where a key of the first shape is there, the
 * application itself wrote it, and it wins.
 */
final class WebSocketsConfig
{
    /** @var Repository */
    private $config;

    public function __construct(Repository $config)
    {
        $this->config = $config;
    }

    /**
     * @return AppSettings[] by id; entries that say nothing are left out
     */
    public function apps(): array
    {
        $apps = [];
        foreach ((array) $this->config->get('websockets.apps', []) as $entry) {
            $app = new AppSettings((array) $entry);
            if (! $app->isEmpty()) {
                $apps[] = $app;
            }
        }
        if ($apps === []) {
            $apps = $this->appOfBroadcasting();
        }

        return $apps;
    }

    public function app(string $id): ?AppSettings
    {
        foreach ($this->apps() as $app) {
            if ($app->id() === $id) {
                return $app;
            }
        }

        return null;
    }

    /**
     * The app that Laravel publishes to, for those who never wrote a config/websockets.php.
     *
     * @return AppSettings[]
     */
    private function appOfBroadcasting(): array
    {
        $connection = $this->broadcastConnection();
        $app = new AppSettings([
            'id' => $connection['app_id'] ?? null,
            'key' => $connection['key'] ?? null,
            'secret' => $connection['secret'] ?? null,
            'name' => $this->config->get('app.name'),
            'enable_client_messages' => true,
        ]);

        return $app->isEmpty() ? [] : [$app];
    }

    /**
     * The default connection of config/broadcasting.php, where its driver speaks to us.
     *
     * @return array<string, mixed> empty where it does not
     */
    public function broadcastConnection(): array
    {
        $name = $this->config->get('broadcasting.default');
        $connection = (array) $this->config->get("broadcasting.connections.{$name}", []);

        return in_array($connection['driver'] ?? null, ['pusher', 'reverb'], true) ? $connection : [];
    }

    /**
     * The class that looks apps up: 1.x calls it app provider, 2.x app manager.
     */
    public function appManager(): string
    {
        return ltrim((string) ($this->config->get('websockets.app_provider')
            ?? $this->config->get('websockets.managers.app', '')), '\\');
    }

    /**
     * @return string[]
     */
    public function allowedOrigins(AppSettings $app): array
    {
        $ofApp = AppSettings::texts($app->get('allowed_origins'));

        return $ofApp ?: AppSettings::texts($this->config->get('websockets.allowed_origins'));
    }

    public function dashboardPath(): string
    {
        $path = $this->config->get('websockets.path') ?? $this->config->get('websockets.dashboard.path');

        return trim((string) ($path ?? 'laravel-websockets'), '/');
    }

    public function dashboardDomain(): ?string
    {
        return $this->config->get('websockets.dashboard.domain') ?: null;
    }

    /**
     * @return string[]
     */
    public function dashboardMiddleware(): array
    {
        return (array) ($this->config->get('websockets.middleware')
            ?? $this->config->get('websockets.dashboard.middleware')
            ?? ['web', \Peal\LaravelWebSockets\Dashboard\Authorize::class]);
    }

    public function host(): string
    {
        return (string) ($this->peal('host') ?? '0.0.0.0');
    }

    public function port(): int
    {
        return (int) ($this->peal('port') ?? $this->config->get('websockets.dashboard.port') ?? 6001);
    }

    public function admin(): string
    {
        return (string) ($this->peal('admin') ?? '127.0.0.1:9601');
    }

    public function binary(): ?string
    {
        return ((string) $this->peal('binary')) ?: null;
    }

    public function restartsInPlace(): bool
    {
        return $this->peal('restart') !== 'exit';
    }

    /**
     * Options with Peal's own names: dots or nested arrays, as one likes.
     *
     * @return array<string, mixed>
     */
    public function options(): array
    {
        return (array) $this->peal('options');
    }

    public function statisticsConnection(): ?string
    {
        return $this->config->get('websockets.statistics.connection')
            ?? $this->config->get('database.default');
    }

    public function statisticsDays(): int
    {
        return (int) $this->config->get('websockets.statistics.delete_statistics_older_than_days', 60);
    }

    /**
     * @param mixed $default
     *
     * @return mixed
     */
    public function get(string $name, $default = null)
    {
        return $this->config->get("websockets.{$name}", $default);
    }

    /**
     * @return mixed
     */
    private function peal(string $name)
    {
        return $this->config->get("websockets.peal.{$name}");
    }
}
