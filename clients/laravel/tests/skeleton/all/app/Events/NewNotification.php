<?php

// SPDX-License-Identifier: MIT

namespace App\Events;

use Illuminate\Broadcasting\PrivateChannel;
use Illuminate\Contracts\Broadcasting\ShouldBroadcast;

class NewNotification implements ShouldBroadcast
{
    public $text;

    private $userId;

    public function __construct(int $userId, string $text)
    {
        $this->userId = $userId;
        $this->text = $text;
    }

    public function broadcastOn()
    {
        return [new PrivateChannel("notifications.{$this->userId}")];
    }

    public function broadcastAs()
    {
        return 'new.notification';
    }
}
