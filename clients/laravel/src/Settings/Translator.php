<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

use Illuminate\Support\Arr;
use Illuminate\Support\Str;
use Peal\LaravelWebSockets\Server\Capabilities;

/**
 * Turns config/websockets.php into settings of Peal.
 *
 * What has the same meaning is taken over. What Peal cannot do is said: as a refusal where the server
 * would not be what the application counts on (apps from a class of its own, TLS), as a warning where
 * it would merely miss something.
 */
final class Translator
{
    /**
     * The app managers of laravel-websockets that read config/websockets.php, and none at all.
     */
    private const CONFIG_MANAGERS = [
        '',
        'BeyondCode\LaravelWebSockets\Apps\ConfigAppProvider',
        'BeyondCode\LaravelWebSockets\Apps\ConfigAppManager',
        'BeyondCode\LaravelWebSockets\ClientProviders\ConfigClientProvider',
    ];

    /** @var WebSocketsConfig */
    private $config;

    /** @var Capabilities */
    private $capabilities;

    /** @var StatisticsStore */
    private $store;

    public function __construct(WebSocketsConfig $config, Capabilities $capabilities, StatisticsStore $store)
    {
        $this->config = $config;
        $this->capabilities = $capabilities;
        $this->store = $store;
    }

    public function translate(): Translation
    {
        $to = new Translation();
        $this->addListeners($to);
        $this->addLimits($to);
        $this->addStatistics($to);
        $this->addApps($to);
        $this->refuseTls($to);
        $this->warnOfTheRest($to);
        foreach ($this->dotted($this->config->options()) as $name => $value) {
            $to->set($name, $value);
        }

        return $to;
    }

    /**
     * host and port are for those who set no listen, as in Peal itself.
     */
    private function addListeners(Translation $to): void
    {
        if (! Arr::has($this->config->options(), 'listen')) {
            $to->set('host', $this->config->host());
            $to->set('port', $this->config->port());
        }
        $to->set('admin.listen', $this->config->admin());
    }

    private function addLimits(Translation $to): void
    {
        $kilobytes = (int) $this->config->get('max_request_size_in_kb', 250);
        if ($kilobytes > 0) {
            $to->set('app_defaults.limits.message_bytes', $kilobytes * 1024);
        }
    }

    private function addStatistics(Translation $to): void
    {
        $seconds = (int) $this->config->get('statistics.interval_in_seconds', 60);
        if ($seconds > 0 && $this->capabilities->has('statistics.interval_seconds')) {
            $to->set('statistics.interval_seconds', $seconds);
        }
        $this->store->addTo($to, $this->capabilities);
        $logger = (string) $this->config->get('statistics.logger', '');
        if (Str::endsWith($logger, '\NullStatisticsLogger') && $this->capabilities->has('statistics')) {
            $to->set('app_defaults.statistics', false);
        }
    }

    private function addApps(Translation $to): void
    {
        $manager = $this->config->appManager();
        if (! in_array($manager, self::CONFIG_MANAGERS, true)) {
            $to->refuse($this->aboutManager($manager));

            return;
        }
        foreach ($this->config->apps() as $app) {
            $this->addApp($to, $app);
        }
        if ($this->config->apps() === []) {
            $to->refuse('No app: put PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET into .env '
                . '(then php artisan config:clear), or an entry into apps of config/websockets.php.');
        }
    }

    private function aboutManager(string $manager): string
    {
        return "config/websockets.php looks apps up with {$manager}. Peal is no part of this application and "
            . 'cannot call it: write the apps into apps of config/websockets.php (any PHP may stand there, and '
            . 'websockets:restart takes changes over without disturbing other apps), and remove the line '
            . "app_provider, or app below managers, or set it to\n"
            . 'BeyondCode\LaravelWebSockets\Apps\ConfigAppManager::class.';
    }

    private function addApp(Translation $to, AppSettings $app): void
    {
        if ($app->missing() !== []) {
            $to->refuse(sprintf(
                'The app "%s" in config/websockets.php has no %s.',
                $app->id() ?: $app->key(),
                implode(' and no ', $app->missing())
            ));

            return;
        }
        $options = [
            'id' => $app->id(),
            'key' => $app->key(),
            'secrets' => $app->secrets(),
            'client_events' => $app->get('enable_client_messages', false) ? 'members' : 'none',
        ];
        if ($app->get('capacity') !== null) {
            $options['limits.connections'] = (int) $app->get('capacity');
        }
        if ($this->config->allowedOrigins($app) !== []) {
            $options['allowed_origins'] = $this->config->allowedOrigins($app);
        }
        if ($this->capabilities->has('statistics') && ! $app->get('enable_statistics', true)) {
            $options['statistics'] = false;
        }
        $to->addApp(array_merge($options, $this->dotted((array) $app->get('peal', []))));
    }

    /**
     * laravel-websockets did TLS itself where a certificate was given. A server without would answer
     * every browser with an error that says nothing, so this is no mere warning.
     */
    private function refuseTls(Translation $to): void
    {
        if ($this->config->get('ssl.local_cert') && ! $this->capabilities->has('tls.cert')) {
            $to->refuse('ssl.local_cert is set in config/websockets.php, and Peal has no TLS of its own yet: let '
                . 'nginx (or Valet, or a balancer) do it, see docs/guide/nginx.md, and empty '
                . 'LARAVEL_WEBSOCKETS_SSL_LOCAL_CERT in .env.');
        }
    }

    private function warnOfTheRest(Translation $to): void
    {
        if ($this->config->get('replication.mode', 'local') !== 'local') {
            $to->warn('replication.mode: Peal serves as one process with all CPUs and shares nothing with others; '
                . 'run one, not several behind a balancer.');
        }
        foreach ((array) $this->config->get('handlers', []) as $name => $handler) {
            if (is_string($handler) && ! Str::startsWith(ltrim($handler, '\\'), 'BeyondCode\\')) {
                $to->warn("handlers.{$name}: {$handler} will not be called; Peal is no part of this application.");
            }
        }
    }

    /**
     * Nested arrays with names as keys become dotted names; lists stay as they are.
     *
     * @param array<string, mixed> $options
     *
     * @return array<string, mixed>
     */
    private function dotted(array $options, string $prefix = ''): array
    {
        $flat = [];
        foreach ($options as $name => $value) {
            if (is_array($value) && $value !== [] && array_keys($value) !== range(0, count($value) - 1)) {
                $flat += $this->dotted($value, "{$prefix}{$name}.");
            } else {
                $flat["{$prefix}{$name}"] = $value;
            }
        }

        return $flat;
    }
}
