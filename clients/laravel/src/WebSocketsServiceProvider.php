<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets;

use Illuminate\Contracts\Foundation\Application;
use Illuminate\Contracts\Foundation\CachesConfiguration;
use Illuminate\Contracts\Foundation\CachesRoutes;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\Facades\Route;
use Illuminate\Support\ServiceProvider;
use Peal\LaravelWebSockets\Dashboard\ApiController;
use Peal\LaravelWebSockets\Dashboard\PageController;
use Peal\LaravelWebSockets\Routing\IgnoredRouter;
use Peal\LaravelWebSockets\Server\Binary;
use Peal\LaravelWebSockets\Server\Capabilities;
use Peal\LaravelWebSockets\Server\StateFolder;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use Symfony\Component\Console\Input\ArgvInput;

/**
 * Registers what the package brings. Under the provider name of laravel-websockets it is the same.
 */
class WebSocketsServiceProvider extends ServiceProvider
{
    private const OLD_NAME = 'BeyondCode\LaravelWebSockets\WebSocketsServiceProvider';

    private const COMMANDS = [
        Console\CleanCommand::class,
        Console\ConfigCommand::class,
        Console\DoctorCommand::class,
        Console\InstallCommand::class,
        Console\RestartCommand::class,
        Console\ServeCommand::class,
        Console\StatusCommand::class,
    ];

    private const MIGRATIONS = ['create_websockets_statistics_entries_table', 'rename_statistics_counters'];

    public function register(): void
    {
        $this->mergeConfig();
        $this->allowMissingCredentials();
        $this->app->bind(WebSocketsConfig::class, static function (Application $app) {
            return new WebSocketsConfig($app->make('config'));
        });
        $this->app->bind(StateFolder::class, static function (Application $app) {
            return new StateFolder($app->storagePath() . '/framework/peal');
        });
        $this->app->singleton('websockets.router', IgnoredRouter::class);
        $this->app->bind(Capabilities::class, static function (Application $app) {
            return Capabilities::of($app->make(Binary::class)->find());
        });
    }

    /**
     * Laravel merges the first level only; of what is below `peal` an application says as little as
     * it likes.
     */
    private function mergeConfig(): void
    {
        $this->mergeConfigFrom(__DIR__ . '/../config/websockets.php', 'websockets');
        if (! ($this->app instanceof CachesConfiguration && $this->app->configurationIsCached())) {
            $defaults = require __DIR__ . '/../config/websockets.php';
            $config = $this->app->make('config');
            $config->set('websockets.peal', (array) $config->get('websockets.peal') + $defaults['peal']);
        }
    }

    /**
     * The SDK, as of version 5, refuses a key or secret that is null, and routes/channels.php makes one
     * at each start: without this the commands that say what is missing would end before they begin.
     */
    private function allowMissingCredentials(): void
    {
        if (
            ! $this->app->runningInConsole()
            || strpos((string) (new ArgvInput())->getFirstArgument(), 'websockets:') !== 0
        ) {
            return;
        }
        $config = $this->app->make('config');
        $connection = 'broadcasting.connections.' . $config->get('broadcasting.default');
        if (in_array($config->get("{$connection}.driver"), ['pusher', 'reverb'], true)) {
            foreach (['app_id', 'key', 'secret'] as $name) {
                $config->set("{$connection}.{$name}", (string) $config->get("{$connection}.{$name}"));
            }
        }
    }

    public function boot(): void
    {
        // An application may name the provider itself, under the old name, beside package discovery.
        if ($this->app->bound('peal.booted')) {
            return;
        }
        $this->app->instance('peal.booted', true);
        $this->defineGate();
        $this->addDashboard();
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

    private function addDashboard(): void
    {
        $this->loadViewsFrom(__DIR__ . '/../resources/views', 'websockets');
        if ($this->app instanceof CachesRoutes && $this->app->routesAreCached()) {
            return;
        }
        $config = $this->app->make(WebSocketsConfig::class);
        Route::group([
            'prefix' => $config->dashboardPath(),
            'domain' => $config->dashboardDomain(),
            'middleware' => $config->dashboardMiddleware(),
        ], static function (): void {
            Route::get('/', [PageController::class, 'show']);
            Route::get('/assets/{file}', [PageController::class, 'file']);
            Route::get('/api/status', [ApiController::class, 'status']);
            Route::get('/api/{appId}/channels', [ApiController::class, 'channels']);
            Route::get('/api/{appId}/statistics', [ApiController::class, 'statistics']);
            Route::post('/event', [ApiController::class, 'event']);
            Route::post('/auth', [ApiController::class, 'auth']);
        });
    }

    /**
     * vendor:publish finds files by the provider's name as it is written on the command line, so the
     * old name gets the same ones.
     */
    private function offerFiles(): void
    {
        $this->publishes([__DIR__ . '/../config/websockets.php' => $this->app->configPath('websockets.php')], 'config');
        foreach (self::MIGRATIONS as $name) {
            $file = "migrations/0000_00_00_000000_{$name}.php";
            $this->publishes([__DIR__ . "/../database/{$file}" => $this->app->databasePath($file)], 'migrations');
        }
        static::$publishes[self::OLD_NAME] = static::$publishes[static::class];
    }
}
