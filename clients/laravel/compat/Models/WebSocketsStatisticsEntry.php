<?php

// SPDX-License-Identifier: MIT
//
// The name of the model in laravel-websockets 2.x, for applications that make charts of their own.
// Composer lists a class in its map where it is declared; an alias it does not see.

namespace BeyondCode\LaravelWebSockets\Models;

class_alias(\Peal\LaravelWebSockets\Models\StatisticsEntry::class, WebSocketsStatisticsEntry::class);

if (false) {
    class WebSocketsStatisticsEntry
    {
    }
}
