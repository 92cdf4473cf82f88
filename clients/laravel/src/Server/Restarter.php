<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Peal\LaravelWebSockets\Settings\ServerEnvironment;
use Symfony\Component\Process\Process;
use Throwable;

/**
 * Restarts in place the server that this command runs, with the application's settings of now.
 *
 * This process has the code and the configuration of the moment when it was started. So a fresh
 * artisan translates the configuration. Where the path of artisan leads elsewhere by now (a deployment
 * with a folder for each release and a symbolic link), the whole command has to start anew.
 */
final class Restarter
{
    /** How long a restart may take, in seconds; Peal itself gives up earlier. */
    private const PATIENCE = 40;

    /** @var ServerProcess */
    private $process;

    /** @var StateFile */
    private $state;

    /** @var bool */
    private $inPlace;

    /** @var bool false where a peal.yaml is used, which is read as it is */
    private $translates;

    /** @var string artisan as it was called, symbolic links and all */
    private $artisan;

    /** @var string|false */
    private $release;

    /** @var array{signal: int|string, live: array<string, mixed>, until: float}|null */
    private $running;

    public function __construct(ServerProcess $process, StateFile $state, bool $inPlace, bool $translates)
    {
        $this->process = $process;
        $this->state = $state;
        $this->inPlace = $inPlace;
        $this->translates = $translates;
        $this->artisan = $this->calledAs();
        $this->release = realpath($this->artisan);
    }

    public function mustExit(): bool
    {
        clearstatcache(true);

        return ! $this->inPlace || realpath($this->artisan) !== $this->release;
    }

    /**
     * Writes the settings file anew.
     *
     * @return string|null why not
     */
    public function refresh(): ?string
    {
        if (! $this->translates) {
            return null;
        }
        try {
            $fresh = new Process(
                [PHP_BINARY, $this->artisan, 'websockets:config', '--write=' . $this->state->settingsPath()],
                null,
                ServerEnvironment::initialForProcess(),
                null,
                60
            );
            $fresh->run();
        } catch (Throwable $error) {
            return $error->getMessage();
        }

        return $fresh->isSuccessful() ? null : trim($fresh->getErrorOutput() . $fresh->getOutput());
    }

    /**
     * @param int|string $signal what the cache key says
     *
     * @return string|null why not
     */
    public function begin($signal): ?string
    {
        $live = (new AdminClient((string) $this->state->get('admin')))->live();
        $why = $live === null ? 'it does not answer at ' . $this->state->get('admin') : $this->refresh();
        if ($why !== null) {
            $this->done($signal, false, $why);

            return $why;
        }
        $this->running = ['signal' => $signal, 'live' => $live, 'until' => microtime(true) + self::PATIENCE];
        $this->process->signal(ServerProcess::USR2);

        return null;
    }

    /**
     * Looks whether a restart that was begun has come to something.
     */
    public function watch(): void
    {
        if ($this->running === null) {
            return;
        }
        $now = (new AdminClient((string) $this->state->get('admin')))->live();
        $before = $this->running['live'];
        if ($now !== null && $now['generation'] > $before['generation']) {
            $this->done($this->running['signal'], true, "generation {$now['generation']}");
        } elseif (($now['last_restart']['failures'] ?? 0) > ($before['last_restart']['failures'] ?? 0)) {
            $this->done($this->running['signal'], false, (string) $now['last_restart']['why']);
        } elseif (microtime(true) > $this->running['until']) {
            $this->done($this->running['signal'], false, 'nothing came of it in ' . self::PATIENCE . ' s');
        }
    }

    /**
     * The server has ended meanwhile.
     */
    public function ended(): void
    {
        if ($this->running !== null) {
            $this->done($this->running['signal'], false, 'the server has ended');
        }
    }

    /**
     * Leaves the outcome where websockets:restart looks for it.
     *
     * @param int|string $signal
     */
    public function done($signal, bool $ok, string $why): void
    {
        $this->running = null;
        $this->state->update(['restart' => ['signal' => $signal, 'ok' => $ok, 'why' => $why]]);
    }

    /**
     * PHP's own working folder has the links resolved; the shell's PWD has not.
     */
    private function calledAs(): string
    {
        $path = (string) ($_SERVER['argv'][0] ?? 'artisan');
        if ($path[0] === '/') {
            return $path;
        }
        $folder = (string) getenv('PWD');

        return ($folder !== '' && realpath($folder) === getcwd() ? $folder : getcwd()) . '/' . $path;
    }
}
