<?php

// SPDX-License-Identifier: MIT

namespace App\Support;

use Pusher\Pusher;

/**
 * Stands in for version 7 of pusher-php-server, which Laravel 9 and newer call, where only version 4
 * can be had: the same requests by the same code, under the newer names.
 */
class Sdk extends Pusher
{
    public function trigger(
        $channels,
        $event,
        $data,
        $params = [],
        $debug = false,
        $already_encoded = false
    ) {
        return parent::trigger($channels, $event, $data, $params['socket_id'] ?? null, false, (bool) $debug);
    }

    public function authorizeChannel($channel, $socketId, $customData = null)
    {
        return $this->socket_auth($channel, $socketId, $customData);
    }

    public function authorizePresenceChannel($channel, $socketId, $userId, $userInfo = null)
    {
        return $this->presence_auth($channel, $socketId, $userId, $userInfo);
    }
}
