<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\BelongsTo;

class ChatMessage extends Model
{
    protected $fillable = ['user_id', 'text'];

    protected $visible = ['id', 'text', 'created_at', 'user'];

    public function user(): BelongsTo
    {
        return $this->belongsTo(User::class);
    }
}
