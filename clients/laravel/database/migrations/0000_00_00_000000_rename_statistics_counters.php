<?php

// SPDX-License-Identifier: MIT

use Illuminate\Database\Migrations\Migration;
use Illuminate\Support\Facades\DB;

// Gives a table of laravel-websockets 1.x the columns of 2.x; its lines stay. Where the columns have
// their new names it does nothing. The file has the name that 2.x gave its own, so it is not run twice.

return new class () extends Migration {
    private const TABLE = 'websockets_statistics_entries';

    /** Names of version 1 and of version 2. */
    private const RENAMED = [
        'peak_connection_count' => 'peak_connections_count',
        'websocket_message_count' => 'websocket_messages_count',
        'api_message_count' => 'api_messages_count',
    ];

    /**
     * In SQL, since Laravel before 11 needs doctrine/dbal to rename; and in that of MySQL 5.7 for MySQL.
     */
    public function up()
    {
        $connection = DB::connection(config('websockets.statistics.connection'));
        $grammar = $connection->getQueryGrammar();
        $sql = in_array($connection->getDriverName(), ['mysql', 'mariadb'], true)
            ? 'alter table %s change %s %s int not null'
            : 'alter table %s rename column %s to %s';
        foreach (self::RENAMED as $old => $new) {
            if ($connection->getSchemaBuilder()->hasColumn(self::TABLE, $old)) {
                $connection->statement(
                    sprintf($sql, $grammar->wrapTable(self::TABLE), $grammar->wrap($old), $grammar->wrap($new))
                );
            }
        }
    }

    /**
     * Nothing: whether it renamed anything is not known any more, and what reads the table knows the
     * new names.
     */
    public function down()
    {
    }
};
