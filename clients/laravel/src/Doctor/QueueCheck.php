<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Foundation\Application;
use Illuminate\Contracts\Queue\Factory;
use Throwable;

/**
 * Events that implement ShouldBroadcast wait in a queue; where no worker takes them, nothing arrives
 * and nothing says why.
 */
final class QueueCheck implements Check
{
    /** @var Repository */
    private $repository;

    /** @var Factory */
    private $queues;

    /** @var string */
    private $basePath;

    public function __construct(Repository $repository, Factory $queues, Application $app)
    {
        $this->basePath = (string) realpath($app->basePath());
        $this->repository = $repository;
        $this->queues = $queues;
    }

    public function subject(): string
    {
        return 'Queue';
    }

    public function findings(): iterable
    {
        $name = (string) $this->repository->get('queue.default', 'sync');
        $driver = (string) $this->repository->get("queue.connections.{$name}.driver", $name);
        if ($driver === 'sync') {
            yield Finding::note(
                'The queue connection is "sync": events are published while the visitor waits.',
                'QUEUE_CONNECTION=database (or redis)     in .env, and a worker: php artisan queue:work'
            );

            return;
        }
        if ($driver === 'null') {
            yield Finding::problem(
                'The queue connection is "null": events that implement ShouldBroadcast are thrown away.',
                'QUEUE_CONNECTION=database (or redis, or sync)     in .env'
            );

            return;
        }
        yield $this->worker($name);
    }

    private function worker(string $name): Finding
    {
        try {
            $waiting = $this->queues->connection($name)->size();
        } catch (Throwable $error) {
            return Finding::problem(
                "The queue \"{$name}\" cannot be asked: {$error->getMessage()}",
                'config/queue.php; for the driver database: php artisan queue:table (since Laravel 11 '
                    . 'make:queue-table) and php artisan migrate'
            );
        }
        if ($this->workerRuns()) {
            return Finding::good("connection \"{$name}\", {$waiting} jobs wait, a worker runs on this machine");
        }

        return $waiting > 0
            ? Finding::problem(
                "{$waiting} jobs wait in the queue \"{$name}\", and on this machine no worker runs.",
                'php artisan queue:work     (in production under Supervisor)'
            )
            : Finding::note(
                "No worker for the queue \"{$name}\" runs on this machine; events that implement ShouldBroadcast "
                    . 'would wait.',
                'php artisan queue:work     (in production under Supervisor)'
            );
    }

    private function workerRuns(): bool
    {
        foreach (glob('/proc/[0-9]*/cmdline') ?: [] as $file) {
            $line = (string) @file_get_contents($file);
            if (
                preg_match('/\0(queue:(work|listen)|horizon(:work|:supervisor)?)(\0|$)/', $line)
                && $this->isOurs(dirname($file), explode("\0", $line))
            ) {
                return true;
            }
        }

        return false;
    }

    /**
     * Other applications on this machine have workers, too. Where another user's process may not be
     * looked at, it counts.
     *
     * @param string[] $arguments
     */
    private function isOurs(string $process, array $arguments): bool
    {
        foreach ($arguments as $argument) {
            if (strncmp($argument, '/', 1) === 0 && substr($argument, -8) === '/artisan') {
                return dirname((string) realpath($argument)) === $this->basePath;
            }
        }
        $folder = @readlink("{$process}/cwd");

        return $folder === false || $folder === $this->basePath;
    }
}
