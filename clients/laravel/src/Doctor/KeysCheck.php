<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Illuminate\Contracts\Foundation\Application;
use Peal\LaravelWebSockets\Settings\Addresses;
use Peal\LaravelWebSockets\Settings\AppSettings;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * Whether the server, Laravel and the pages speak of the same app. Secrets are compared, not shown.
 */
final class KeysCheck implements Check
{
    /** Shorter ones can be guessed. */
    private const SHORTEST = 16;

    /** @var WebSocketsConfig */
    private $config;

    /** @var Addresses */
    private $addresses;

    /** @var Application */
    private $app;

    public function __construct(WebSocketsConfig $config, Addresses $addresses, Application $app)
    {
        $this->config = $config;
        $this->addresses = $addresses;
        $this->app = $app;
    }

    public function subject(): string
    {
        return 'Keys';
    }

    public function findings(): iterable
    {
        $connection = $this->config->broadcastConnection();
        if ($connection === []) {
            return;
        }
        $id = (string) ($connection['app_id'] ?? '');
        $app = $this->config->app($id);
        if ($app === null) {
            yield Finding::problem(
                "Laravel publishes for the app \"{$id}\", which apps of config/websockets.php does not have.",
                'PUSHER_APP_ID in .env, or an entry in config/websockets.php'
            );

            return;
        }
        if ($this->hasNoSecret($app, $connection)) {
            $name = ($connection['driver'] ?? '') === 'reverb' ? 'REVERB_APP_SECRET' : 'PUSHER_APP_SECRET';
            yield Finding::problem(
                "The secret of the app \"{$id}\" is empty.",
                "{$name}=     in .env, with what this prints: openssl rand -hex 32"
            );

            return;
        }
        yield from $this->same($app, $connection);
        yield from $this->pages($app);
        yield from $this->strength($app);
    }

    /**
     * Either half without a secret: neither can sign then.
     *
     * @param array<string, mixed> $connection
     */
    private function hasNoSecret(AppSettings $app, array $connection): bool
    {
        return $app->secret() === '' || (string) ($connection['secret'] ?? '') === '';
    }

    /**
     * @param array<string, mixed> $connection
     *
     * @return iterable<Finding>
     */
    private function same(AppSettings $app, array $connection): iterable
    {
        if ((string) ($connection['key'] ?? '') !== $app->key()) {
            yield Finding::problem(
                'The key in config/broadcasting.php is not the one in config/websockets.php.',
                'PUSHER_APP_KEY in .env; both files read it'
            );
        } elseif (! in_array((string) ($connection['secret'] ?? ''), $app->secrets(), true)) {
            yield Finding::problem(
                'The secret in config/broadcasting.php is not the one in config/websockets.php.',
                'PUSHER_APP_SECRET in .env; both files read it'
            );
        } else {
            yield Finding::good("app \"{$app->id()}\", key \"{$app->key()}\"");
        }
    }

    /**
     * @return iterable<Finding>
     */
    private function pages(AppSettings $app): iterable
    {
        foreach (['VITE_PUSHER_APP_KEY', 'VITE_REVERB_APP_KEY', 'MIX_PUSHER_APP_KEY'] as $name) {
            $key = $this->addresses->ofDotEnv($name);
            if ($key === $app->key()) {
                return;
            }
            if ($key !== '') {
                yield Finding::problem(
                    "The pages are built with the key \"{$key}\" ({$name}).",
                    $name . '="${PUSHER_APP_KEY}"     in .env, then npm run build'
                );

                return;
            }
        }
    }

    /**
     * @return iterable<Finding>
     */
    private function strength(AppSettings $app): iterable
    {
        if ($this->app->environment('local', 'testing')) {
            return;
        }
        if (strlen($app->secret()) < self::SHORTEST || $app->secret() === $app->key()) {
            yield Finding::problem(
                'The secret is easy to guess; who has it can publish anything.',
                'PUSHER_APP_SECRET=     in .env, with what this prints: openssl rand -hex 32'
            );
        }
    }
}
