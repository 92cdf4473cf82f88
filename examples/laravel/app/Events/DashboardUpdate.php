<?php

namespace App\Events;

use App\Models\Order;
use Illuminate\Broadcasting\Channel;
use Illuminate\Contracts\Broadcasting\ShouldBroadcast;
use Illuminate\Foundation\Events\Dispatchable;

/**
 * Goes through the queue: the request does not wait for it.
 */
class DashboardUpdate implements ShouldBroadcast
{
    use Dispatchable;

    public function broadcastOn()
    {
        return new Channel('dashboard-updates');
    }

    /**
     * Called when it is sent, not when it is put into the queue: the totals are those of that moment.
     */
    public function broadcastWith()
    {
        return Order::totals();
    }
}
