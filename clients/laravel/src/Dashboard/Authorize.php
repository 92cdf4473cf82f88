<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Dashboard;

use Closure;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Gate;

/**
 * Lets those through whom the gate viewWebSocketsDashboard lets.
 */
class Authorize
{
    /**
     * @return mixed
     */
    public function handle(Request $request, Closure $next)
    {
        abort_unless(Gate::check('viewWebSocketsDashboard', [$request->user()]), 403);

        return $next($request);
    }
}
