<?php

// SPDX-License-Identifier: MIT

namespace App\Providers;

use Illuminate\Auth\GenericUser;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;
use Illuminate\Support\Facades\Gate;
use Illuminate\Support\ServiceProvider;

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
    }
}
