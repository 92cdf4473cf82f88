<?php

// SPDX-License-Identifier: MIT
//
// The name of the model in laravel-websockets 2.x, for applications that make charts of their own.

class_alias(
    Peal\LaravelWebSockets\Models\StatisticsEntry::class,
    'BeyondCode\LaravelWebSockets\Models\WebSocketsStatisticsEntry'
);
