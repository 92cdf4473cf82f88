<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets;

use Illuminate\Contracts\Foundation\Application;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\ServiceProvider;
use Peal\LaravelWebSockets\Server\Binary;
use Peal\LaravelWebSockets\Server\Capabilities;
use Peal\LaravelWebSockets\Server\StateFolder;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * Registers what the package brings. Under the provider name of laravel-websockets it is the same.
 */
class WebSocketsServiceProvider extends ServiceProvider
{
    private const OLD_NAME = 'BeyondCode\LaravelWebSockets\WebSocketsServiceProvider';

    private const COMMANDS = [
        Console\ConfigCommand::class,
        Console\ServeCommand::class,
    ];

    public function register(): void
    {
        $this->mergeConfigFrom(__DIR__ . '/../config/websockets.php', 'websockets');
        $this->app->bind(WebSocketsConfig::class, static function (Application $app) {
            return new WebSocketsConfig($app->make('config'));
        });
        $this->app->bind(StateFolder::class, static function (Application $app) {
            return new StateFolder($app->storagePath() . '/framework/peal');
        });
        $this->app->bind(Capabilities::class, static function (Application $app) {
            return Capabilities::of($app->make(Binary::class)->find());
        });
    }

    public function boot(): void
    {
        // An application may name the provider itself, under the old name, beside package discovery.
        if ($this->app->bound('peal.booted')) {
            return;
        }
        $this->app->instance('peal.booted', true);
        $this->defineGate();
        if ($this->app->runningInConsole()) {
            $this->commands(self::COMMANDS);
            $this->offerFiles();
        }
    }

    /**
     * An application's own definition wins, whichever comes first.
     */
    private function defineGate(): void
    {
        if (! Gate::has('viewWebSocketsDashboard')) {
            Gate::define('viewWebSocketsDashboard', static function ($user = null) {
                return app()->environment('local');
            });
        }
    }

    /**
     * vendor:publish finds files by the provider's name as it is written on the command line, so the
     * old name gets the same ones.
     */
    private function offerFiles(): void
    {
        $this->publishes([__DIR__ . '/../config/websockets.php' => $this->app->configPath('websockets.php')], 'config');
        static::$publishes[self::OLD_NAME] = static::$publishes[static::class];
    }
}
