<?php

// SPDX-License-Identifier: MIT

use Peal\LaravelWebSockets\Dashboard\Authorize;

/*
 * The names are those of laravel-websockets 2.x, so that a config/websockets.php of that package,
 * 1.x or 2.x, is understood as it is. What is new stands below 'peal'.
 */

return [

    /*
     * The apps that Peal serves. Usually there is one, and the PUSHER_* variables of .env describe
     * it. Where no app here has a key and a secret, the one of the default broadcast connection
     * counts (REVERB_* with the reverb driver).
     */
    'apps' => [
        [
            'id' => env('PUSHER_APP_ID'),
            'name' => env('APP_NAME'),
            'key' => env('PUSHER_APP_KEY'),
            'secret' => env('PUSHER_APP_SECRET'),

            // The most connections at a time; null = no limit.
            'capacity' => null,

            // Whether members of private and presence channels may send client events (whispers).
            'enable_client_messages' => true,

            'enable_statistics' => true,

            // Hosts (example.com, *.example.com) or whole origins (https://example.com) of pages
            // that may connect; empty = all.
            'allowed_origins' => [
                //
            ],

            // More options of this app, with the names of Peal's documentation (docs/options.md).
            'peal' => [
                // 'ping_interval_s' => 60,
            ],
        ],
    ],

    /*
     * The dashboard inside of this application. Who may see it is said by the gate
     * viewWebSocketsDashboard, by default everybody in the environment "local" and nobody elsewhere.
     */
    'dashboard' => [
        'port' => env('LARAVEL_WEBSOCKETS_PORT', 6001),
        'path' => env('LARAVEL_WEBSOCKETS_PATH', 'laravel-websockets'),
        'domain' => env('LARAVEL_WEBSOCKETS_DOMAIN'),
        'middleware' => [
            'web',
            Authorize::class,
        ],
    ],

    'statistics' => [

        // How often the server writes a line for each app, in seconds.
        'interval_in_seconds' => 60,

        // What websockets:clean leaves.
        'delete_statistics_older_than_days' => 60,

        // The database connection with the table websockets_statistics_entries; null = the default.
        'connection' => null,
    ],

    // The largest data of an event.
    'max_request_size_in_kb' => 250,

    'peal' => [

        // The program. null = peal or bin/peal in this application, vendor/bin, then the PATH.
        'binary' => env('WEBSOCKETS_PEAL_BINARY'),

        // Where Peal listens for clients and for this application.
        'host' => env('WEBSOCKETS_HOST', '0.0.0.0'),
        'port' => env('LARAVEL_WEBSOCKETS_PORT', 6001),

        // Where it serves health and figures: websockets:status and websockets:restart ask there.
        // Each Peal on a machine needs one of its own; unix:/path is possible, too.
        'admin' => env('WEBSOCKETS_ADMIN', '127.0.0.1:9601'),

        // What websockets:restart does to a server that websockets:serve runs: "in-place" turns it
        // into the new program with the new settings and refuses nobody; "exit" ends the command,
        // as laravel-websockets did, and leaves the rest to Supervisor.
        'restart' => env('WEBSOCKETS_RESTART', 'in-place'),

        // More options of the server, with the names of docs/options.md.
        'options' => [
            // 'trusted_proxies' => ['10.0.0.0/8'],
            // 'log.format' => 'json',
        ],
    ],
];
