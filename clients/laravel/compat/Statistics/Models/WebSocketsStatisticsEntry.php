<?php

// SPDX-License-Identifier: MIT
//
// The name of the model in laravel-websockets 1.x, for applications that make charts of their own.
// Composer lists a class in its map where it is declared; an alias it does not see.

namespace BeyondCode\LaravelWebSockets\Statistics\Models;

class_alias(\Peal\LaravelWebSockets\Models\StatisticsEntry::class, WebSocketsStatisticsEntry::class);

if (false) {
    class WebSocketsStatisticsEntry
    {
    }
}
