<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

use RuntimeException;

/**
 * The Laravel application under test: a copy of one that tests/run has made, with its own .env, so
 * that a test may change it. Its vendor folder is shared.
 */
final class Application
{
    /** @var string */
    public $path;

    /** @var Running[] */
    private $running = [];

    public function __construct(string $original, string $path)
    {
        $this->path = $path;
        mkdir($path, 0755, true);
        $this->copy($original, $path);
        symlink("{$original}/vendor", "{$path}/vendor");
        copy("{$original}/.env.example", "{$path}/.env");
        touch("{$path}/database/database.sqlite");
    }

    /**
     * A vendor folder of its own instead of the shared one: the packages stay where they are, what
     * Composer writes is a copy.
     */
    public function ownVendor(): self
    {
        $shared = (string) readlink("{$this->path}/vendor");
        unlink("{$this->path}/vendor");
        mkdir("{$this->path}/vendor/composer", 0755, true);
        foreach (array_diff(scandir($shared) ?: [], ['.', '..', '.made', 'autoload.php', 'composer']) as $name) {
            symlink("{$shared}/{$name}", "{$this->path}/vendor/{$name}");
        }
        copy("{$shared}/autoload.php", "{$this->path}/vendor/autoload.php");
        $this->copy("{$shared}/composer", "{$this->path}/vendor/composer");

        return $this;
    }

    public static function major(): int
    {
        return (int) basename((string) getenv('LARAVEL_APP'));
    }

    /**
     * Changes values in .env; null removes.
     *
     * @param array<string, string|int|null> $values
     */
    public function env(array $values): self
    {
        $text = (string) file_get_contents("{$this->path}/.env");
        foreach ($values as $name => $value) {
            $text = preg_replace("/^{$name}=.*\n/m", '', $text);
            if ($value !== null) {
                $quote = preg_match('/[\s#$]/', (string) $value) ? '"' : '';
                $text = rtrim($text) . "\n{$name}={$quote}{$value}{$quote}\n";
            }
        }
        file_put_contents("{$this->path}/.env", $text);

        return $this;
    }

    public function write(string $file, string $text): self
    {
        @mkdir(dirname("{$this->path}/{$file}"), 0755, true);
        file_put_contents("{$this->path}/{$file}", $text);

        return $this;
    }

    /**
     * Runs a command of the application to its end.
     */
    public function artisan(string ...$arguments): Ended
    {
        return $this->start(array_merge([PHP_BINARY, 'artisan'], $arguments))->wait();
    }

    /**
     * Starts websockets:serve and waits until it serves. The address goes into .env, where the
     * application publishes to.
     */
    public function serve(string ...$arguments): Server
    {
        $process = $this->start(array_merge([PHP_BINARY, 'artisan', 'websockets:serve'], $arguments));
        $server = new Server($process, $process->line('/^peal ready /'));
        $this->env(['PUSHER_PORT' => $server->port]);

        return $server;
    }

    /**
     * The web server of PHP with this application; returns its URL.
     */
    public function web(): string
    {
        $port = self::freePort();
        $process = $this->start([PHP_BINARY, '-S', "127.0.0.1:{$port}", '-t', 'public', 'public/index.php']);
        $process->errorLine('/Development Server .* started/');

        return "http://127.0.0.1:{$port}";
    }

    /**
     * @param string[] $command
     * @param array<string, string> $environment
     */
    public function start(array $command, array $environment = []): Running
    {
        $variables = ['PATH' => (string) getenv('PATH'), 'HOME' => $this->path, 'PWD' => $this->path,
            'WEBSOCKETS_PEAL_BINARY' => (string) getenv('PEAL_BINARY')];

        return $this->running[] = new Running($command, $this->path, $environment + $variables);
    }

    public function close(): void
    {
        foreach (array_reverse($this->running) as $process) {
            $process->end();
        }
        $this->remove($this->path);
    }

    public static function freePort(): int
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        if ($socket === false) {
            throw new RuntimeException('No free port.');
        }
        $name = (string) stream_socket_get_name($socket, false);
        fclose($socket);

        return (int) substr($name, strrpos($name, ':') + 1);
    }

    private function copy(string $from, string $to): void
    {
        foreach (array_diff(scandir($from) ?: [], ['.', '..', 'vendor', '.env', 'install.log', 'tests.log']) as $name) {
            if (is_dir("{$from}/{$name}")) {
                mkdir("{$to}/{$name}");
                $this->copy("{$from}/{$name}", "{$to}/{$name}");
            } else {
                copy("{$from}/{$name}", "{$to}/{$name}");
            }
        }
    }

    private function remove(string $path): void
    {
        if (is_link($path) || ! is_dir($path)) {
            @unlink($path);

            return;
        }
        foreach (array_diff(scandir($path) ?: [], ['.', '..']) as $name) {
            $this->remove("{$path}/{$name}");
        }
        @rmdir($path);
    }
}
