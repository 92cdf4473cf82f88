<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

use Peal\LaravelWebSockets\Settings\DatabaseUrl;
use PHPUnit\Framework\TestCase;

final class DatabaseUrlTest extends TestCase
{
    /**
     * @dataProvider connections
     *
     * @param array<string, mixed> $connection
     */
    public function testAConnectionAsAUrl(array $connection, ?string $url): void
    {
        self::assertSame($url, (new DatabaseUrl())->of($connection));
    }

    public function connections(): array
    {
        $server = ['username' => 'shop', 'password' => 'p@ss:/?#', 'database' => 'shop'];

        return [
            'sqlite' => [['driver' => 'sqlite', 'database' => '/a b/db.sqlite'], 'sqlite:/a b/db.sqlite'],
            'sqlite in memory' => [['driver' => 'sqlite', 'database' => ':memory:'], null],
            'mysql' => [['driver' => 'mysql', 'host' => 'db', 'port' => '3307'] + $server,
                'mysql://shop:p%40ss%3A%2F%3F%23@db:3307/shop'],
            'mysql over a socket' => [
                ['driver' => 'mariadb', 'unix_socket' => '/run/my.sock', 'port' => 3306] + $server,
                'mysql://shop:p%40ss%3A%2F%3F%23@/shop?socket=%2Frun%2Fmy.sock',
            ],
            'mysql with TLS' => [
                ['driver' => 'mysql', 'host' => ['db1', 'db2'], 'options' => [1009 => '/ca.pem']] + $server,
                'mysql://shop:p%40ss%3A%2F%3F%23@db1/shop?sslmode=verify-full&sslrootcert=%2Fca.pem',
            ],
            'postgres' => [['driver' => 'pgsql', 'host' => '::1', 'sslmode' => 'prefer', 'username' => 'u',
                'database' => 'd'], 'postgres://u@[::1]/d?sslmode=prefer'],
            'postgres, a mode that Peal has not' => [['driver' => 'pgsql', 'host' => 'db', 'sslmode' => 'verify-ca',
                'username' => 'u', 'database' => 'd'], 'postgres://u@db/d?sslmode=verify-full'],
            'sqlsrv' => [['driver' => 'sqlsrv'] + $server, null],
        ];
    }
}
