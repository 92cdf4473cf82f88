<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Peal\LaravelWebSockets\Install\Installer;
use Peal\LaravelWebSockets\Server\Binary;
use Peal\LaravelWebSockets\Server\StateFolder;
use RuntimeException;

/**
 * Puts the program peal into the application: built from a checkout, or out of a package.
 */
class InstallCommand extends Command
{
    private const UNAVAILABLE = 69;

    protected $signature = 'websockets:install
        {source? : A checkout of Peal (is built), a .deb or .tar.gz of ./dev package, or the program itself}
        {--force : Also where a program is there already}';

    protected $description = 'Get the peal program for this machine';

    public function handle(Binary $binary, Installer $installer, StateFolder $folder): int
    {
        $there = $binary->find();
        $version = $there === null ? null : $binary->version($there);
        if ($version !== null && $this->argument('source') === null && ! $this->option('force')) {
            $this->info("{$there} is there ({$version}). Nothing to do; --force installs anew.");

            return 0;
        }
        $source = $this->argument('source') ?? $installer->findSource();
        if ($source === null) {
            $this->error('There is nothing here to install from.');
            $this->line($binary->howToGet());

            return self::UNAVAILABLE;
        }
        try {
            $this->line("Installing from {$source}");
            $version = $installer->install((string) $source, $binary->installPath(), function (string $text): void {
                $this->output->write($text);
            });
        } catch (RuntimeException $error) {
            $this->error($error->getMessage());

            return 1;
        }
        $this->info("Installed {$binary->installPath()} ({$version}).");
        $this->line('It belongs to this machine, not into the repository: put /peal into .gitignore.');
        if ($folder->running() !== []) {
            $this->line('A server runs; php artisan websockets:restart turns it into this one, refusing nobody.');
        }

        return 0;
    }
}
