<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Illuminate\Foundation\Application;
use Peal\LaravelWebSockets\Server\Binary;
use Peal\LaravelWebSockets\Server\Status;
use Peal\LaravelWebSockets\Settings\Translator;

/**
 * The program, its settings, and whether it runs: the address where it listens.
 */
final class ServerCheck implements Check
{
    /** @var Binary */
    private $binary;

    /** @var Translator */
    private $translator;

    /** @var Status */
    private $status;

    /** @var Application */
    private $app;

    public function __construct(Binary $binary, Translator $translator, Status $status, Application $app)
    {
        $this->binary = $binary;
        $this->translator = $translator;
        $this->status = $status;
        $this->app = $app;
    }

    public function subject(): string
    {
        return 'Server';
    }

    public function findings(): iterable
    {
        yield $this->program();
        yield from $this->settings();
        yield from $this->running();
        if (! function_exists('pcntl_signal')) {
            yield Finding::note(
                'The PHP extension pcntl is missing: websockets:serve cannot pass signals on.',
                'docker-php-ext-install pcntl'
            );
        }
    }

    private function program(): Finding
    {
        $path = $this->binary->find();
        if ($path === null) {
            return Finding::problem('The program peal is missing.', $this->binary->howToGet());
        }
        $version = $this->binary->version($path);

        return $version === null
            ? Finding::problem(
                "{$path} does not run.",
                "Try {$path} version in a shell; it needs libuv1 libssl3 libyaml-0-2 libcurl4."
            )
            : Finding::good("{$path}, {$version}");
    }

    /**
     * @return iterable<Finding>
     */
    private function settings(): iterable
    {
        $translation = $this->translator->translate();
        foreach ($translation->refusals() as $sentence) {
            yield Finding::problem($sentence, 'config/websockets.php');
        }
        foreach ($translation->warnings() as $sentence) {
            yield Finding::note($sentence, 'config/websockets.php');
        }
        $dotEnv = $this->app->environmentFilePath();
        if (
            $this->app->configurationIsCached()
            && @filemtime($dotEnv) > @filemtime($this->app->getCachedConfigPath())
        ) {
            yield Finding::problem(
                '.env is newer than the cached configuration, so its changes do not count.',
                'php artisan config:clear     (or config:cache)'
            );
        }
    }

    /**
     * @return iterable<Finding>
     */
    private function running(): iterable
    {
        foreach ($this->status->servers() as $server) {
            if (isset($server['why']) && ! $server['answers']) {
                yield Finding::problem($server['why'], "WEBSOCKETS_ADMIN in .env: the address of its own server");
            } elseif (! $server['answers']) {
                yield Finding::problem(
                    "No server answers at its admin address {$server['admin']}.",
                    'php artisan websockets:serve     (in production under Supervisor: packaging/supervisor)'
                );
            } elseif (! $server['ready']) {
                yield Finding::problem("The server is not ready: {$server['why']}.", 'php artisan websockets:status');
            } else {
                $where = $server['listen'] === [] ? '' : ', listens on ' . implode(', ', $server['listen']);
                yield Finding::good("runs with pid {$server['pid']}{$where}");
            }
        }
    }
}
