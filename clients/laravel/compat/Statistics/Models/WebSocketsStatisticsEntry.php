<?php

// SPDX-License-Identifier: MIT
//
// The name of the model in laravel-websockets 1.x, for applications that make charts of their own.

class_alias(
    Peal\LaravelWebSockets\Models\StatisticsEntry::class,
    'BeyondCode\LaravelWebSockets\Statistics\Models\WebSocketsStatisticsEntry'
);
