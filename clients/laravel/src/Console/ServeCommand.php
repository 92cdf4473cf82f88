<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Illuminate\Contracts\Cache\Repository as Cache;
use Peal\LaravelWebSockets\Server\Binary;
use Peal\LaravelWebSockets\Server\Capabilities;
use Peal\LaravelWebSockets\Server\Leftovers;
use Peal\LaravelWebSockets\Server\Restarter;
use Peal\LaravelWebSockets\Server\RestartSignal;
use Peal\LaravelWebSockets\Server\ServerProcess;
use Peal\LaravelWebSockets\Server\StateFile;
use Peal\LaravelWebSockets\Server\StateFolder;
use Peal\LaravelWebSockets\Server\Supervisor;
use Peal\LaravelWebSockets\Settings\ServerEnvironment;
use Peal\LaravelWebSockets\Settings\SettingsFile;
use Peal\LaravelWebSockets\Settings\Translator;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use RuntimeException;
use Symfony\Component\Console\Output\ConsoleOutputInterface;

/**
 * Runs Peal with the application's configuration, as laravel-websockets' command of that name ran its
 * server.
 */
class ServeCommand extends Command
{
    /** Exit codes of sysexits.h, as Peal's own. */
    private const UNAVAILABLE = 69;
    private const CANNOT_CREATE = 73;
    private const CONFIGURATION = 78;

    protected $signature = 'websockets:serve
        {--host= : Where to listen (default: peal.host of config/websockets.php, 0.0.0.0)}
        {--port= : The port (default: LARAVEL_WEBSOCKETS_PORT, 6001); 0 = any free one}
        {--config= : A peal.yaml to use instead of config/websockets.php}
        {--debug : Log all that happens}
        {--disable-statistics : Do not record statistics}
        {--statistics-interval= : Seconds between two records of statistics}
        {--loop= : Of laravel-websockets; has no meaning here}';

    protected $description = 'Start the Peal WebSocket server with the settings of this application';

    public function handle(Binary $binary, StateFolder $folder, Cache $cache): int
    {
        $program = $binary->find();
        if ($program === null) {
            $this->complain($binary->howToGet());

            return self::UNAVAILABLE;
        }
        try {
            $state = $folder->mine();
            $settings = $this->settings($state);
        } catch (RuntimeException $error) {
            $this->complain($error->getMessage());

            return self::CANNOT_CREATE;
        }
        if ($settings === null) {
            return self::CONFIGURATION;
        }
        if ((new Leftovers($folder))->end() > 0) {
            $this->complain('A server was left by a websockets:serve that was killed; it has been ended.');
        }

        return $this->serve($program, $settings, $state, new RestartSignal($cache));
    }

    /**
     * @return string|null the file for Peal's --config; null where it must not start, which has been said
     */
    private function settings(StateFile $state): ?string
    {
        if ($this->option('config') !== null) {
            return (string) realpath((string) $this->option('config')) ?: (string) $this->option('config');
        }
        $translation = $this->laravel->make(Translator::class)->translate();
        array_map([$this, 'complain'], $translation->warnings());
        array_map([$this, 'complain'], $translation->refusals());
        if ($translation->refusals() !== []) {
            return null;
        }
        SettingsFile::write($state->settingsPath(), $translation, $this->laravel->make(ServerEnvironment::class));

        return $state->settingsPath();
    }

    private function serve(string $program, string $settings, StateFile $state, RestartSignal $signal): int
    {
        $config = $this->laravel->make(WebSocketsConfig::class);
        $translates = $this->option('config') === null;
        $this->info('Starting the WebSocket server...');
        $process = new ServerProcess(
            $this->commandLine($program, $settings, $translates),
            $this->laravel->basePath(),
            $translates ? $this->laravel->make(ServerEnvironment::class)->forPeal() : ServerEnvironment::initial(),
            function_exists('pcntl_signal')
        );
        $state->update([
            'command_pid' => getmypid(),
            'server_pid' => $process->pid(),
            'settings' => $settings,
            'admin' => $config->admin(),
            'started' => time(),
            'hears_signals' => function_exists('pcntl_signal'),
        ]);
        $restarter = new Restarter($process, $state, $config->restartsInPlace(), $translates);
        $supervisor = new Supervisor($process, $state, $signal, $restarter);
        try {
            return $supervisor->run(
                function (string $line): void {
                    $this->output->writeln($line, ConsoleOutputInterface::OUTPUT_RAW);
                },
                function (string $sentence): void {
                    $this->complain($sentence);
                }
            );
        } finally {
            $process->close();
            $state->remove();
        }
    }

    /**
     * Nothing secret stands in it.
     *
     * @return string[]
     */
    private function commandLine(string $program, string $settings, bool $translates): array
    {
        $command = [$program, 'serve', '--config', $settings];
        if ($translates) {
            array_push($command, '--env', SettingsFile::environmentPath($settings));
        }
        foreach (['host', 'port'] as $name) {
            if ($this->option($name) !== null) {
                array_push($command, "--{$name}", (string) $this->option($name));
            }
        }
        if ($this->option('debug')) {
            array_push($command, '--log-level', 'debug');
        }

        return array_merge($command, $this->statisticsOptions(Capabilities::of($program)));
    }

    /**
     * @return string[]
     */
    private function statisticsOptions(Capabilities $capabilities): array
    {
        $options = [];
        if ($this->option('disable-statistics') && $capabilities->has('statistics')) {
            array_push($options, '--set', 'app_defaults.statistics=false');
        }
        $seconds = (int) $this->option('statistics-interval');
        if ($seconds > 0 && $capabilities->has('statistics.interval_seconds')) {
            array_push($options, '--set', "statistics.interval_seconds={$seconds}");
        }

        return $options;
    }

    /**
     * On stderr, where the server's own log is.
     */
    private function complain(string $sentence): void
    {
        $output = $this->output->getOutput();
        $error = $output instanceof ConsoleOutputInterface ? $output->getErrorOutput() : $output;
        $error->writeln($sentence, ConsoleOutputInterface::OUTPUT_RAW);
    }
}
