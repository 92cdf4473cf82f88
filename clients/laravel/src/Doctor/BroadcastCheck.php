<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Foundation\Application;
use Illuminate\Routing\Router;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use ReflectionClass;

/**
 * Whether Laravel broadcasts at all, with a driver that speaks to a server like ours, and whether
 * private channels can be authorised.
 */
final class BroadcastCheck implements Check
{
    /** @var Repository */
    private $repository;

    /** @var WebSocketsConfig */
    private $config;

    /** @var Router */
    private $router;

    /** @var Application */
    private $app;

    public function __construct(Repository $repository, WebSocketsConfig $config, Router $router, Application $app)
    {
        $this->repository = $repository;
        $this->config = $config;
        $this->router = $router;
        $this->app = $app;
    }

    public function subject(): string
    {
        return 'Broadcasting';
    }

    public function findings(): iterable
    {
        $name = (string) $this->repository->get('broadcasting.default') ?: 'null';
        $driver = (string) $this->repository->get("broadcasting.connections.{$name}.driver", '');
        if ($this->config->broadcastConnection() === []) {
            yield Finding::problem(
                "The broadcast connection is \"{$name}\"" . ($driver === $name ? '' : " (driver \"{$driver}\")")
                    . ', so events are sent to no server.',
                $this->variable() . '=pusher     in .env, then php artisan config:clear'
            );

            return;
        }
        yield Finding::good("connection \"{$name}\", driver \"{$driver}\"");
        yield from $this->sdk();
        yield from $this->routes();
    }

    private function variable(): string
    {
        return $this->isBefore11() ? 'BROADCAST_DRIVER' : 'BROADCAST_CONNECTION';
    }

    private function isBefore11(): bool
    {
        return version_compare($this->app->version(), '11', '<');
    }

    /**
     * @return iterable<Finding>
     */
    private function sdk(): iterable
    {
        if (! class_exists(\Pusher\Pusher::class)) {
            yield Finding::problem('The SDK is missing.', 'composer require pusher/pusher-php-server');
        } elseif (
            version_compare($this->app->version(), '9', '>=')
            && ! (new ReflectionClass(\Pusher\Pusher::class))->hasMethod('authorizeChannel')
        ) {
            yield Finding::note(
                'This version of Laravel needs version 5 or newer of pusher/pusher-php-server.',
                'composer require pusher/pusher-php-server:^7.2'
            );
        }
    }

    /**
     * @return iterable<Finding>
     */
    private function routes(): iterable
    {
        foreach ($this->router->getRoutes()->getRoutes() as $route) {
            if (substr($route->uri(), -strlen('broadcasting/auth')) === 'broadcasting/auth') {
                return;
            }
        }
        yield Finding::note(
            'There is no route broadcasting/auth, so private and presence channels cannot be joined.',
            $this->isBefore11()
                ? 'Uncomment App\Providers\BroadcastServiceProvider::class in providers of config/app.php.'
                : 'php artisan install:broadcasting, or channels: __DIR__.\'/../routes/channels.php\' for '
                    . 'withRouting in bootstrap/app.php'
        );
    }
}
