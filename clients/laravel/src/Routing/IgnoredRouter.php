<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Routing;

use Illuminate\Contracts\Cache\Factory as Cache;
use Psr\Log\LoggerInterface;
use Throwable;

/**
 * Takes the routes that an application gave to the server of laravel-websockets. Peal is no PHP and
 * calls no handlers of the application, so they are ignored, and the log says so.
 *
 * Routes are read with each request. So the cache remembers for a day what was said.
 */
class IgnoredRouter
{
    private const DAY = 86400;

    /** The routes of laravel-websockets itself, which Peal has. */
    private const OURS = ['echo', 'routes'];

    /** @var Cache */
    private $cache;

    /** @var LoggerInterface */
    private $log;

    public function __construct(Cache $cache, LoggerInterface $log)
    {
        $this->cache = $cache;
        $this->log = $log;
    }

    /**
     * @param array<mixed> $arguments
     */
    public function __call(string $method, array $arguments): void
    {
        if (in_array($method, self::OURS, true)) {
            return;
        }
        $path = is_string($arguments[0] ?? null) ? $arguments[0] : '';
        $route = "WebSocketsRouter::{$method}('{$path}')";
        try {
            if (! $this->cache->store()->add('peal:ignored-route:' . sha1($route), true, self::DAY)) {
                return;
            }
        } catch (Throwable $error) {
            // An application whose cache is away has other sorrows, and would read this with each request.
            return;
        }
        $this->log->warning("{$route} is ignored: Peal does not run custom handlers of laravel-websockets.");
    }
}
