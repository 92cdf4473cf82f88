<?php

namespace App\Events;

use Illuminate\Contracts\Broadcasting\ShouldBroadcastNow;

/**
 * The same event, sent before the request is answered. No queue worker is needed.
 */
class DashboardUpdateNow extends DashboardUpdate implements ShouldBroadcastNow
{
    /**
     * One name for both, so that pages listen to DashboardUpdate only.
     */
    public function broadcastAs()
    {
        return DashboardUpdate::class;
    }
}
