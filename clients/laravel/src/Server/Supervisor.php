<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Closure;
use Throwable;

/**
 * What websockets:serve does while the server runs: passes signals on, shows its output, keeps the
 * state file, and turns the cache key of laravel-websockets into a restart in place.
 */
final class Supervisor
{
    /** How often the cache is asked, in seconds. laravel-websockets asks every 10. */
    private const POLL = 2;

    /** @var ServerProcess */
    private $process;

    /** @var StateFile */
    private $state;

    /** @var RestartSignal */
    private $signal;

    /** @var Restarter */
    private $restarter;

    /** @var Closure(string): void */
    private $show;

    /** @var Closure(string): void */
    private $complain;

    /** @var int[] signals that came and were not looked at yet */
    private $signals = [];

    /** @var int|string */
    private $seen = 0;

    /** @var float */
    private $polled = 0.0;

    /** @var bool the cache does not answer, which was said once */
    private $cacheFails = false;

    public function __construct(
        ServerProcess $process,
        StateFile $state,
        RestartSignal $signal,
        Restarter $restarter
    ) {
        $this->process = $process;
        $this->state = $state;
        $this->signal = $signal;
        $this->restarter = $restarter;
    }

    /**
     * Returns the server's exit code when it has ended.
     *
     * @param Closure(string): void $show lines of the server
     * @param Closure(string): void $complain ours
     */
    public function run(Closure $show, Closure $complain): int
    {
        $this->show = $show;
        $this->complain = $complain;
        $this->listen();
        $this->seen = $this->value() ?? 0;
        while ($this->process->runs()) {
            foreach ($this->process->lines(0.5) as $line) {
                $this->read($line);
            }
            foreach (array_splice($this->signals, 0) as $signal) {
                $this->handle($signal);
            }
            $this->poll();
            $this->restarter->watch();
        }
        $this->restarter->ended();

        return (int) $this->process->exitCode();
    }

    private function listen(): void
    {
        if (! function_exists('pcntl_signal')) {
            return;
        }
        pcntl_async_signals(true);
        foreach (ServerProcess::SIGNALS as $signal) {
            pcntl_signal($signal, function (int $signal): void {
                $this->signals[] = $signal;
            });
        }
    }

    private function handle(int $signal): void
    {
        if ($signal === ServerProcess::USR2) {
            $this->seen = $this->value() ?? $this->seen;
            $this->restart();
        } elseif ($signal === ServerProcess::HUP && ! stream_isatty(STDIN)) {
            $this->reload();
        } else {
            $this->process->signal($signal === ServerProcess::INT ? ServerProcess::INT : ServerProcess::TERM);
        }
    }

    /**
     * Where a terminal is closed, SIGHUP means the end; else it means new settings.
     */
    private function reload(): void
    {
        $why = $this->restarter->refresh();
        if ($why !== null) {
            ($this->complain)("The settings stay as they were: {$why}");

            return;
        }
        $this->process->signal(ServerProcess::HUP);
    }

    private function restart(): void
    {
        if ($this->restarter->mustExit()) {
            ($this->complain)('Ending for a restart.');
            $this->restarter->done($this->seen, true, 'the command ends; its supervisor starts it again');
            $this->process->signal(ServerProcess::TERM);

            return;
        }
        $why = $this->restarter->begin($this->seen);
        if ($why !== null) {
            ($this->complain)("Not restarted, the server goes on as it was: {$why}");
        }
    }

    private function poll(): void
    {
        if (microtime(true) - $this->polled < self::POLL) {
            return;
        }
        $this->polled = microtime(true);
        $value = $this->value();
        if ($value !== null && (string) $value !== (string) $this->seen) {
            $this->seen = $value;
            $this->restart();
        }
    }

    /**
     * @return int|string|null null where the cache does not answer, which is no reason to end
     */
    private function value()
    {
        try {
            $value = $this->signal->value();
            $this->cacheFails = false;

            return $value;
        } catch (Throwable $error) {
            if (! $this->cacheFails) {
                ($this->complain)('The cache does not answer; until it does, websockets:restart on other machines '
                    . 'is not heard: ' . $error->getMessage());
            }
            $this->cacheFails = true;

            return null;
        }
    }

    private function read(string $line): void
    {
        ($this->show)($line);
        if (strncmp($line, 'peal ready ', 11) !== 0) {
            return;
        }
        preg_match_all('/(\w+)=(\S*)/', $line, $found);
        $said = array_combine($found[1], $found[2]);
        $this->state->update([
            'server_pid' => $this->process->pid(),
            'generation' => (int) ($said['generation'] ?? 1),
            'host' => $said['host'] ?? null,
            'port' => (int) ($said['port'] ?? 0),
            'admin' => $said['admin'] ?? null,
            'listen' => explode(',', $said['listen'] ?? ''),
        ]);
    }
}
