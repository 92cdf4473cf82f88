<?php

// SPDX-License-Identifier: MIT

namespace App\Providers;

use App\Support\Sdk;
use Illuminate\Auth\GenericUser;
use Illuminate\Broadcasting\Broadcasters\PusherBroadcaster;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Broadcast;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\ServiceProvider;
use Pusher\Pusher;

class AppServiceProvider extends ServiceProvider
{
    public function register()
    {
    }

    public function boot()
    {
        // Tests say who they are with a header, so that they need neither form nor database.
        Auth::viaRequest('header', function (Request $request) {
            $id = $request->header('X-User');

            return $id === null ? null : new GenericUser(['id' => $id, 'email' => "{$id}@example.com"]);
        });
        if (env('TEST_GATE_USER') !== null) {
            Gate::define('viewWebSocketsDashboard', function ($user = null) {
                return $user !== null && (string) $user->getAuthIdentifier() === (string) env('TEST_GATE_USER');
            });
        }
        // Laravel 9 and newer call an SDK as of version 5.
        if (! method_exists(Pusher::class, 'authorizeChannel') && version_compare(app()->version(), '9', '>=')) {
            foreach (['pusher', 'reverb'] as $driver) {
                Broadcast::extend($driver, function ($app, array $config) {
                    return new PusherBroadcaster(
                        new Sdk($config['key'], $config['secret'], $config['app_id'], $config['options'])
                    );
                });
            }
        }
    }
}
