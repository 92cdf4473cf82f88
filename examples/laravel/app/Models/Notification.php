<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;
use Illuminate\Database\Eloquent\Relations\BelongsTo;

class Notification extends Model
{
    protected $fillable = ['sender_id', 'text'];

    protected $visible = ['id', 'text', 'created_at', 'sender'];

    public function sender(): BelongsTo
    {
        return $this->belongsTo(User::class);
    }
}
