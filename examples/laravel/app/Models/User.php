<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Relations\BelongsToMany;
use Illuminate\Database\Eloquent\Relations\HasMany;
use Illuminate\Foundation\Auth\User as Authenticatable;

class User extends Authenticatable
{
    // A model in an event is sent with all its visible attributes, to everybody on the channel.
    protected $visible = ['id', 'name', 'initials', 'color'];

    protected $appends = ['initials'];

    public $timestamps = false;

    public function chatRooms(): BelongsToMany
    {
        return $this->belongsToMany(ChatRoom::class);
    }

    public function notifications(): HasMany
    {
        return $this->hasMany(Notification::class);
    }

    public function canJoinChatRoom($chatRoomId): bool
    {
        return $this->chatRooms()->whereKey($chatRoomId)->exists();
    }

    public function getInitialsAttribute(): string
    {
        return collect(explode(' ', $this->name))->map(fn ($word) => mb_substr($word, 0, 1))->join('');
    }
}
