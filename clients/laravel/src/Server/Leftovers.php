<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

/**
 * Ends servers whose websockets:serve was killed: they would hold the port, and nobody would restart
 * them any more.
 */
final class Leftovers
{
    /** How long a server may take for its farewell, in seconds. */
    private const PATIENCE = 10;

    /** @var StateFolder */
    private $folder;

    public function __construct(StateFolder $folder)
    {
        $this->folder = $folder;
    }

    /**
     * @return int how many there were
     */
    public function end(): int
    {
        $ended = 0;
        foreach ($this->folder->left() as $state) {
            if ($state->serverRuns()) {
                $this->kill($state);
                $ended++;
            }
            if (! $state->serverRuns()) {
                $state->remove();
            }
        }

        return $ended;
    }

    private function kill(StateFile $state): void
    {
        if (! function_exists('posix_kill')) {
            return;
        }
        posix_kill($state->serverPid(), 15);
        $until = microtime(true) + self::PATIENCE;
        while ($state->serverRuns() && microtime(true) < $until) {
            usleep(20000);
        }
    }
}
