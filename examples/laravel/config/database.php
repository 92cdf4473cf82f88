<?php

return [
    'default' => 'sqlite',

    'connections' => [
        'sqlite' => [
            'driver' => 'sqlite',
            'database' => env('DB_DATABASE', database_path('database.sqlite')),
            'foreign_key_constraints' => true,

            // Web server and queue worker share the file: who finds it locked waits, up to 5 seconds.
            // The first migration turns on the write-ahead log, so that readers need not wait.
            'options' => [PDO::ATTR_TIMEOUT => 5],
        ],
    ],

    'migrations' => 'migrations',
];
