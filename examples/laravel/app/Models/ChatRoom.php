<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\HasMany;

class ChatRoom extends Model
{
    public $timestamps = false;

    public function messages(): HasMany
    {
        return $this->hasMany(ChatMessage::class);
    }
}
