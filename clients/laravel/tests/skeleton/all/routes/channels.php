<?php

// SPDX-License-Identifier: MIT

use Illuminate\Support\Facades\Broadcast;

Broadcast::channel('notifications.{userId}', function ($user, $userId) {
    return (int) $user->getAuthIdentifier() === (int) $userId;
});

Broadcast::channel('chat.{roomId}', function ($user) {
    return ['id' => $user->getAuthIdentifier(), 'name' => 'User ' . $user->getAuthIdentifier()];
});
