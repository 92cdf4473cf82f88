<?php

// SPDX-License-Identifier: MIT

namespace App\Providers;

use Illuminate\Support\Facades\Broadcast;
use Illuminate\Support\ServiceProvider;

class BroadcastServiceProvider extends ServiceProvider
{
    public function boot()
    {
        Broadcast::routes(['middleware' => ['auth:header']]);

        require base_path('routes/channels.php');
    }
}
