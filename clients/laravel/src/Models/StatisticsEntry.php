<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Models;

use Illuminate\Database\Eloquent\Model;

/**
 * A line of statistics: what one app's connections and messages came to in one interval.
 */
class StatisticsEntry extends Model
{
    protected $table = 'websockets_statistics_entries';

    protected $guarded = [];

    /**
     * @return string|null
     */
    public function getConnectionName()
    {
        return $this->connection ?? config('websockets.statistics.connection');
    }
}
