<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Illuminate\Contracts\Cache\Repository;

/**
 * The cache key by which laravel-websockets tells its servers to restart: deployment scripts of many
 * applications write it, through the command or by themselves. It reaches all machines that share the
 * cache.
 */
final class RestartSignal
{
    public const KEY = 'beyondcode:websockets:restart';

    /** @var Repository */
    private $cache;

    public function __construct(Repository $cache)
    {
        $this->cache = $cache;
    }

    /**
     * @return int|string what the last restart wrote there; 0 = nobody did
     */
    public function value()
    {
        return $this->cache->get(self::KEY, 0);
    }

    public function give(): int
    {
        // Two restarts within one second are two.
        $previous = (int) $this->value();
        $now = max(time(), $previous + 1);
        $this->cache->forever(self::KEY, $now);

        return $now;
    }
}
