<?php

// SPDX-License-Identifier: MIT

namespace App\Events;

use Illuminate\Broadcasting\Channel;
use Illuminate\Contracts\Broadcasting\ShouldBroadcastNow;

class OrderShipped implements ShouldBroadcastNow
{
    public $id;

    public function __construct(int $id)
    {
        $this->id = $id;
    }

    public function broadcastOn()
    {
        return [new Channel('orders')];
    }
}
