<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

use Dotenv\Dotenv;
use Illuminate\Foundation\Application;
use Peal\LaravelWebSockets\Http\Address;
use Peal\LaravelWebSockets\Server\StateFolder;

/**
 * The three addresses that are so easily mixed up: where the server listens, where this application
 * publishes to, and where browsers connect.
 */
final class Addresses
{
    /** Of what Vite and, before it, Mix build into the pages. */
    private const PREFIXES = ['VITE_PUSHER_', 'VITE_REVERB_', 'MIX_PUSHER_'];

    /** @var WebSocketsConfig */
    private $config;

    /** @var StateFolder */
    private $folder;

    /** @var Application */
    private $app;

    /** @var array<string, string|null>|null */
    private $dotEnv;

    public function __construct(WebSocketsConfig $config, StateFolder $folder, Application $app)
    {
        $this->config = $config;
        $this->folder = $folder;
        $this->app = $app;
    }

    /**
     * Where a server of this application listens on this machine, as this machine reaches it.
     */
    public function local(): Address
    {
        $port = $this->config->port();
        $host = $this->config->host();
        foreach ($this->folder->running() as $state) {
            if ((int) $state->get('port') > 0) {
                [$host, $port] = [(string) $state->get('host'), (int) $state->get('port')];
            }
        }
        $any = ['0.0.0.0' => '127.0.0.1', '::' => '::1', '[::]' => '::1', '' => '127.0.0.1'];

        return new Address($any[$host] ?? $host, $port);
    }

    /**
     * Where the server on this machine answers questions about itself.
     */
    public function admin(): string
    {
        foreach ($this->folder->running() as $state) {
            return (string) $state->get('admin');
        }

        return $this->config->admin();
    }

    /**
     * Where config/broadcasting.php sends events of this app; null where nothing there is of this app.
     */
    public function publish(AppSettings $app): ?Address
    {
        $connection = $this->config->broadcastConnection();
        if ((string) ($connection['app_id'] ?? '') !== $app->id()) {
            return null;
        }
        $options = (array) ($connection['options'] ?? []);
        $tls = ($options['scheme'] ?? null) === 'https'
            || (! isset($options['scheme']) && ($options['useTLS'] ?? $options['encrypted'] ?? false));
        $host = (string) ($options['host'] ?? '') ?: 'api-' . ($options['cluster'] ?? 'mt1') . '.pusher.com';
        $host = (string) preg_replace('~^https?://~', '', $host);

        return new Address(
            $host,
            (int) ($options['port'] ?? 0) ?: ($tls ? 443 : 80),
            $tls,
            (string) ($options['path'] ?? '')
        );
    }

    /**
     * For requests of our own: a server on this machine if one of ours runs, else where we publish.
     */
    public function api(AppSettings $app): Address
    {
        if ($this->folder->running() !== []) {
            return $this->local();
        }

        return $this->publish($app) ?? $this->local();
    }

    /**
     * Where the built pages connect, as far as .env tells: VITE_PUSHER_HOST and so on, MIX_ before.
     *
     * @return Address|null null where .env does not say
     */
    public function browser(): ?Address
    {
        foreach (self::PREFIXES as $prefix) {
            $host = $this->ofDotEnv("{$prefix}HOST");
            $scheme = $this->ofDotEnv("{$prefix}SCHEME");
            $port = (int) $this->ofDotEnv("{$prefix}PORT");
            if ($host !== '') {
                return new Address($host, $port ?: ($scheme === 'https' ? 443 : 80), $scheme === 'https');
            }
        }

        return null;
    }

    /**
     * How .env begins the names that the pages are built with, so that advice names lines that are there.
     */
    public function browserPrefix(): string
    {
        foreach (self::PREFIXES as $prefix) {
            foreach (['APP_KEY', 'HOST', 'PORT', 'SCHEME', 'APP_CLUSTER'] as $name) {
                if ($this->ofDotEnv($prefix . $name) !== '') {
                    return $prefix;
                }
            }
        }

        return self::PREFIXES[0];
    }

    public function ofDotEnv(string $name): string
    {
        if ($this->dotEnv === null) {
            $file = $this->app->environmentFilePath();
            $this->dotEnv = is_readable($file) && class_exists(Dotenv::class)
                ? Dotenv::parse((string) file_get_contents($file))
                : [];
        }

        return (string) ($this->dotEnv[$name] ?? '');
    }
}
