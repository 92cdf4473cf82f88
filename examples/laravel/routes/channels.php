<?php

use App\Models\User;
use Illuminate\Support\Facades\Broadcast;

/*
 | Who may listen to which channel. Public channels, like dashboard-updates, need no line here.
 */

Broadcast::channel('notifications.{userId}', function (User $user, $userId) {
    return (int) $user->id === (int) $userId;
});

Broadcast::channel('chat.{chatRoomId}', function (User $user, $chatRoomId) {
    if ($user->canJoinChatRoom($chatRoomId)) {
        return $user->only('id', 'name', 'initials', 'color');
    }
});
