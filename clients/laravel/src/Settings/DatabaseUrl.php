<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

/**
 * A connection of config/database.php as the URL that Peal's option `store` takes.
 */
final class DatabaseUrl
{
    /**
     * @param array<string, mixed> $connection as Laravel has resolved it
     *
     * @return string|null null for drivers that Peal does not know
     */
    public function of(array $connection): ?string
    {
        switch ($connection['driver'] ?? '') {
            case 'sqlite':
                return 'sqlite:' . $connection['database'];
            case 'mysql':
            case 'mariadb':
                return $this->server('mysql', $connection, 3306);
            case 'pgsql':
                return $this->server('postgres', $connection, 5432);
            default:
                return null;
        }
    }

    /**
     * @param array<string, mixed> $connection
     */
    private function server(string $scheme, array $connection, int $port): string
    {
        $host = (array) ($connection['host'] ?? '127.0.0.1');
        $password = (string) ($connection['password'] ?? '');

        return sprintf(
            '%s://%s%s@%s:%d/%s',
            $scheme,
            rawurlencode((string) ($connection['username'] ?? '')),
            $password === '' ? '' : ':' . rawurlencode($password),
            reset($host),
            (int) ($connection['port'] ?? $port) ?: $port,
            rawurlencode((string) ($connection['database'] ?? ''))
        );
    }
}
