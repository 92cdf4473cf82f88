<?php

// SPDX-License-Identifier: MIT

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\DB;
use Illuminate\Support\Facades\Schema;

// The table of laravel-websockets, with the columns of its version 2. Where version 1 has made it, the
// columns are renamed and the lines stay. The class has no name, so that it does not meet one of the
// same name in the application.

return new class () extends Migration {
    private const TABLE = 'websockets_statistics_entries';

    /** Names of version 1 and of version 2. */
    private const RENAMED = [
        'peak_connection_count' => 'peak_connections_count',
        'websocket_message_count' => 'websocket_messages_count',
        'api_message_count' => 'api_messages_count',
    ];

    public function up()
    {
        $schema = Schema::connection(config('websockets.statistics.connection'));
        if ($schema->hasTable(self::TABLE)) {
            $this->rename(self::RENAMED);

            return;
        }
        $schema->create(self::TABLE, function (Blueprint $table) {
            $table->increments('id');
            $table->string('app_id');
            $table->integer('peak_connections_count');
            $table->integer('websocket_messages_count');
            $table->integer('api_messages_count');
            $table->nullableTimestamps();
            $table->index(['app_id', 'created_at']);
        });
    }

    public function down()
    {
        Schema::connection(config('websockets.statistics.connection'))->dropIfExists(self::TABLE);
    }

    /**
     * In SQL, since Laravel before 11 needs doctrine/dbal to rename.
     */
    private function rename(array $names)
    {
        $connection = DB::connection(config('websockets.statistics.connection'));
        $grammar = $connection->getQueryGrammar();
        foreach ($names as $old => $new) {
            if ($connection->getSchemaBuilder()->hasColumn(self::TABLE, $old)) {
                $connection->statement(sprintf(
                    'alter table %s rename column %s to %s',
                    $grammar->wrapTable(self::TABLE),
                    $grammar->wrap($old),
                    $grammar->wrap($new)
                ));
            }
        }
    }
};
