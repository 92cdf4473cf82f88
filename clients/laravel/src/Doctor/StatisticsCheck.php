<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Illuminate\Database\DatabaseManager;
use Peal\LaravelWebSockets\Server\Capabilities;
use Peal\LaravelWebSockets\Settings\StatisticsStore;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use Throwable;

/**
 * Whether statistics find their table.
 */
final class StatisticsCheck implements Check
{
    /** @var WebSocketsConfig */
    private $config;

    /** @var DatabaseManager */
    private $databases;

    /** @var Capabilities */
    private $capabilities;

    public function __construct(
        WebSocketsConfig $config,
        DatabaseManager $databases,
        Capabilities $capabilities
    ) {
        $this->config = $config;
        $this->databases = $databases;
        $this->capabilities = $capabilities;
    }

    public function subject(): string
    {
        return 'Statistics';
    }

    public function findings(): iterable
    {
        $migrate = 'php artisan vendor:publish --provider="Peal\LaravelWebSockets\WebSocketsServiceProvider" '
            . '--tag=migrations && php artisan migrate';
        try {
            $schema = $this->databases->connection($this->config->statisticsConnection())->getSchemaBuilder();
            if (! $schema->hasTable(StatisticsStore::TABLE)) {
                yield Finding::note('There is no table ' . StatisticsStore::TABLE . ' in the database.', $migrate);
            } elseif (! $this->capabilities->has('store')) {
                yield Finding::note('This version of Peal keeps no statistics.', 'A newer peal');
            } elseif (! $schema->hasColumn(StatisticsStore::TABLE, 'peak_connections_count')) {
                yield Finding::good(
                    StatisticsStore::TABLE . ', with the columns of laravel-websockets 1.x, which do as well'
                );
            } else {
                yield Finding::good(StatisticsStore::TABLE);
            }
        } catch (Throwable $error) {
            yield Finding::note("The database does not answer: {$error->getMessage()}", 'config/database.php');
        }
    }
}
