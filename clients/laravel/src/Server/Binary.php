<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Illuminate\Contracts\Foundation\Application;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use Symfony\Component\Process\ExecutableFinder;
use Symfony\Component\Process\Process;
use Throwable;

/**
 * Finds the program `peal`.
 */
final class Binary
{
    /** @var WebSocketsConfig */
    private $config;

    /** @var Application */
    private $app;

    public function __construct(WebSocketsConfig $config, Application $app)
    {
        $this->config = $config;
        $this->app = $app;
    }

    /**
     * @return string|null an absolute path
     */
    public function find(): ?string
    {
        $configured = $this->config->binary();
        if ($configured !== null) {
            return $this->usable($this->absolute($configured));
        }
        foreach (['peal', 'bin/peal', 'vendor/bin/peal'] as $place) {
            $path = $this->app->basePath($place);
            if ($this->usable($path) !== null) {
                return $path;
            }
        }
        // The PATH of a Supervisor or a cron job is often shorter than that of a shell.
        return (new ExecutableFinder())->find('peal', null, ['/usr/local/bin', '/usr/bin']);
    }

    /**
     * Where websockets:install puts it.
     */
    public function installPath(): string
    {
        return $this->app->basePath('peal');
    }

    /**
     * @return string|null null where it does not run: another machine's program, a missing library
     */
    public function version(string $path): ?string
    {
        try {
            $process = new Process([$path, 'version']);
            $process->run();
        } catch (Throwable $error) {
            return null;
        }

        return $process->isSuccessful() ? trim($process->getOutput()) : null;
    }

    public function howToGet(): string
    {
        $configured = $this->config->binary();
        if ($configured !== null) {
            return "There is no program at {$configured} (peal.binary in config/websockets.php, "
                . 'WEBSOCKETS_PEAL_BINARY in .env). Remove the setting to let it be searched for.';
        }

        return "The program peal was not found. Get it with one of\n"
            . "  php artisan websockets:install /path/to/peal            a checkout of Peal; builds it\n"
            . "  php artisan websockets:install peal_*.deb               or a tarball, as ./dev package makes them\n"
            . "  sudo apt install ./peal_*.deb                           for the whole machine\n"
            . 'or say where it is: WEBSOCKETS_PEAL_BINARY=/path/to/peal in .env.';
    }

    private function absolute(string $path): string
    {
        return $path[0] === '/' ? $path : $this->app->basePath($path);
    }

    private function usable(string $path): ?string
    {
        return is_file($path) && is_executable($path) ? $path : null;
    }
}
