<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

/**
 * A connection of config/database.php as the URL that Peal's option `store` takes. There is a
 * password in it.
 */
final class DatabaseUrl
{
    /** PDO's number for the option "certificates to trust"; its name needs the extension. */
    private const MYSQL_SSL_CA = 1009;

    /** Of PostgreSQL's modes those that Peal has, and what stands for the others: never less safe. */
    private const SSL_MODES = [
        'disable' => 'disable',
        'allow' => 'prefer',
        'prefer' => 'prefer',
        'require' => 'require',
        'verify-ca' => 'verify-full',
        'verify-full' => 'verify-full',
    ];

    /**
     * @param array<string, mixed> $connection as Laravel has resolved it
     *
     * @return string|null null for drivers that Peal does not know, and for a database in our memory
     */
    public function of(array $connection): ?string
    {
        switch ($connection['driver'] ?? '') {
            case 'sqlite':
                $path = (string) $connection['database'];

                return $path === ':memory:' ? null : "sqlite:{$path}";
            case 'mysql':
            case 'mariadb':
                return $this->server('mysql', $connection, $this->ofMysql($connection));
            case 'pgsql':
                return $this->server('postgres', $connection, $this->ofPostgres($connection));
            default:
                return null;
        }
    }

    /**
     * @param array<string, mixed> $connection
     *
     * @return array<string, string>
     */
    private function ofMysql(array $connection): array
    {
        $query = [];
        $certificates = (string) (($connection['options'] ?? [])[self::MYSQL_SSL_CA] ?? '');
        if ($certificates !== '') {
            $query = ['sslmode' => 'verify-full', 'sslrootcert' => $certificates];
        }
        $socket = (string) ($connection['unix_socket'] ?? '');

        return $socket === '' ? $query : $query + ['socket' => $socket];
    }

    /**
     * @param array<string, mixed> $connection
     *
     * @return array<string, string>
     */
    private function ofPostgres(array $connection): array
    {
        $query = [];
        if (isset($connection['sslmode'])) {
            $query['sslmode'] = self::SSL_MODES[$connection['sslmode']] ?? 'verify-full';
        }
        if (! empty($connection['sslrootcert'])) {
            $query['sslrootcert'] = (string) $connection['sslrootcert'];
        }
        $host = $this->host($connection);

        return strncmp($host, '/', 1) === 0 ? $query + ['socket' => $host] : $query;
    }

    /**
     * @param array<string, mixed> $connection
     * @param array<string, string> $query
     */
    private function server(string $scheme, array $connection, array $query): string
    {
        $password = (string) ($connection['password'] ?? '');
        $port = (int) ($connection['port'] ?? 0);
        $host = $this->host($connection);
        if (isset($query['socket'])) {
            $where = '';
        } elseif (strpos($host, ':') !== false) {
            $where = '[' . trim($host, '[]') . ']';
        } else {
            $where = rawurlencode($host);
        }

        return "{$scheme}://"
            . rawurlencode((string) ($connection['username'] ?? ''))
            . ($password === '' ? '' : ':' . rawurlencode($password))
            . "@{$where}"
            . ($port > 0 && $where !== '' ? ":{$port}" : '')
            . '/' . rawurlencode((string) ($connection['database'] ?? ''))
            . ($query === [] ? '' : '?' . http_build_query($query, '', '&', PHP_QUERY_RFC3986));
    }

    /**
     * Of several hosts the first: Laravel takes any of them.
     *
     * @param array<string, mixed> $connection
     */
    private function host(array $connection): string
    {
        $hosts = (array) ($connection['host'] ?? '127.0.0.1');

        return (string) (reset($hosts) ?: '127.0.0.1');
    }
}
