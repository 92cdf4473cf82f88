<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Illuminate\Contracts\Cache\Repository as Cache;
use Peal\LaravelWebSockets\Server\AdminClient;
use Peal\LaravelWebSockets\Server\Binary;
use Peal\LaravelWebSockets\Server\RestartSignal;
use Peal\LaravelWebSockets\Server\ServerProcess;
use Peal\LaravelWebSockets\Server\StateFile;
use Peal\LaravelWebSockets\Server\StateFolder;
use Peal\LaravelWebSockets\Server\Status;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use Symfony\Component\Process\Process;

/**
 * Restarts the servers of this application: for new code of the server, and for new settings.
 *
 * The cache key of laravel-websockets reaches every websockets:serve, on other machines, too. Those on
 * this machine are nudged as well and are waited for. A server that runs without websockets:serve is
 * restarted through its admin listener, if it serves an app of this application.
 */
class RestartCommand extends Command
{
    private const PATIENCE = 60;

    private const CONFIGURATION = 78;

    protected $signature = 'websockets:restart';

    protected $description = 'Restart the WebSocket server in place, with the settings of now';

    public function handle(
        StateFolder $folder,
        Cache $cache,
        Status $status,
        WebSocketsConfig $config,
        Binary $binary
    ): int {
        $signal = (new RestartSignal($cache))->give();
        $running = $folder->running();
        if ($running === []) {
            return $this->withoutCommand($config, $status, $binary);
        }
        foreach ($running as $state) {
            // A command without pcntl would be ended by the signal.
            if (function_exists('posix_kill') && $state->get('hears_signals')) {
                // Not permitted between two users; then it hears of the key in a moment.
                @posix_kill($state->commandPid(), ServerProcess::USR2);
            }
        }
        $code = 0;
        foreach ($running as $state) {
            $code = max($code, $this->outcome($state->path(), $signal));
        }

        return $code;
    }

    private function outcome(string $path, int $signal): int
    {
        $until = microtime(true) + self::PATIENCE;
        do {
            $state = StateFile::read($path);
            $restart = (array) ($state === null ? [] : $state->get('restart', []));
            if (($restart['signal'] ?? null) === $signal) {
                return $this->say($state, $restart);
            }
            if ($state === null || ! $state->commandRuns()) {
                $this->info('websockets:serve has ended; its supervisor starts it again.');

                return 0;
            }
            usleep(50000);
        } while (microtime(true) < $until);
        $this->error('websockets:serve with pid ' . $state->commandPid() . ' has not reacted in ' . self::PATIENCE
            . ' s. Does it use the same cache store?');

        return 75;
    }

    /**
     * @param array<string, mixed> $restart
     */
    private function say(StateFile $state, array $restart): int
    {
        if ($restart['ok']) {
            $this->info("Restarted the server with pid {$state->serverPid()}: {$restart['why']}.");

            return 0;
        }
        $this->error("The server with pid {$state->serverPid()} goes on as it was: {$restart['why']}");

        return self::CONFIGURATION;
    }

    /**
     * `peal serve` by itself, under Supervisor or systemd.
     */
    private function withoutCommand(WebSocketsConfig $config, Status $status, Binary $binary): int
    {
        $admin = new AdminClient($config->admin());
        $program = $binary->find();
        $foreign = null;
        if ($program === null || $admin->live() === null || ($foreign = $status->foreign($admin)) !== null) {
            $this->info('Broadcasted the restart signal to the WebSocket server!');
            $this->line($foreign === null
                ? "No server runs on this machine that answers at {$config->admin()}; "
                    . 'one on another machine with the same cache hears of it.'
                : "{$foreign} It is left alone; set WEBSOCKETS_ADMIN to the address of this application's own.");

            return 0;
        }
        $process = new Process([$program, 'restart', '--admin', $config->admin()]);
        $process->setTimeout(self::PATIENCE);
        $process->run();
        $this->output->write($process->getOutput() . $process->getErrorOutput());

        return (int) $process->getExitCode();
    }
}
