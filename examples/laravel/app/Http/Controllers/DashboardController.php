<?php

namespace App\Http\Controllers;

use App\Events\DashboardUpdate;
use App\Events\DashboardUpdateNow;
use App\Models\Order;
use Illuminate\Http\Request;

class DashboardController
{
    public function index(Request $request)
    {
        return $request->expectsJson() ? Order::totals() : view('dashboard');
    }

    public function store()
    {
        Order::place();

        DashboardUpdateNow::dispatch();

        return response()->noContent();
    }

    public function complete(Request $request, Order $order)
    {
        $order->update(['completed_at' => now()]);

        $request->boolean('queued') ? DashboardUpdate::dispatch() : DashboardUpdateNow::dispatch();

        return response()->noContent();
    }
}
