<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

use Illuminate\Database\DatabaseManager;
use Peal\LaravelWebSockets\Server\Capabilities;
use Throwable;

/**
 * Lets Peal write its statistics into the application's own database, where the migration has made
 * the table. Where it has not, Peal's own default counts.
 */
final class StatisticsStore
{
    public const TABLE = 'websockets_statistics_entries';

    /** @var WebSocketsConfig */
    private $config;

    /** @var DatabaseManager */
    private $databases;

    public function __construct(WebSocketsConfig $config, DatabaseManager $databases)
    {
        $this->config = $config;
        $this->databases = $databases;
    }

    public function addTo(Translation $to, Capabilities $capabilities): void
    {
        if (! $capabilities->has('store')) {
            return;
        }
        try {
            $connection = $this->databases->connection($this->config->statisticsConnection());
            if (! $connection->getSchemaBuilder()->hasTable(self::TABLE)) {
                return;
            }
        } catch (Throwable $error) {
            $to->warn('Statistics do not go to the database: ' . $error->getMessage());

            return;
        }
        if ($connection->getTablePrefix() !== '') {
            $to->warn('Statistics do not go to the database: Peal writes to ' . self::TABLE
                . ', and the connection has a prefix for its tables.');

            return;
        }
        $url = (new DatabaseUrl())->of($connection->getConfig());
        if ($url === null) {
            $to->warn('Statistics do not go to the database: Peal does not know the driver '
                . $connection->getDriverName() . '.');

            return;
        }
        $to->set('store', $url);
    }
}
