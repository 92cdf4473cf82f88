<?php

// SPDX-License-Identifier: MIT

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

// The table of laravel-websockets, with the columns of its version 2. The file has the name that both
// of its versions gave theirs, so an application whose table is from there has run this one already;
// columns of version 1 are the business of rename_statistics_counters. The class has no name, so that it
// does not meet one of the same name in the application.

return new class () extends Migration {
    private const TABLE = 'websockets_statistics_entries';

    public function up()
    {
        $schema = Schema::connection(config('websockets.statistics.connection'));
        if ($schema->hasTable(self::TABLE)) {
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
};
