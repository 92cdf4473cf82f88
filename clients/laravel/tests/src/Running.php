<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

use RuntimeException;

/**
 * A process that a test has started. What it writes is kept; waiting is for a line, not for a time.
 */
final class Running
{
    private const PATIENCE = 90;

    /** @var resource */
    private $process;

    /** @var array<int, resource> */
    private $pipes;

    /** @var string */
    public $out = '';

    /** @var string */
    public $err = '';

    /** @var int|null */
    private $code;

    /** @var int */
    public $pid;

    /**
     * @param string[] $command
     * @param array<string, string> $environment
     */
    public function __construct(array $command, string $folder, array $environment)
    {
        $pipes = [];
        $this->process = proc_open(
            $command,
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']],
            $pipes,
            $folder,
            $environment
        );
        $this->pipes = $pipes;
        $this->pid = proc_get_status($this->process)['pid'];
        stream_set_blocking($pipes[1], false);
        stream_set_blocking($pipes[2], false);
    }

    /**
     * Waits for a line of stdout, a new one after a given offset.
     */
    public function line(string $pattern, int $after = 0): string
    {
        return $this->until(function () use ($pattern, $after) {
            return $this->lineOf($this->out, $pattern, $after);
        }, "a line {$pattern}");
    }

    public function errorLine(string $pattern): string
    {
        return $this->until(function () use ($pattern) {
            return $this->lineOf($this->err, $pattern, 0);
        }, "a line {$pattern} on stderr");
    }

    public function signal(int $signal): void
    {
        posix_kill($this->pid, $signal);
    }

    /**
     * Waits for the end.
     */
    public function wait(): Ended
    {
        $this->until(function () {
            return $this->runs() ? null : true;
        }, 'its end');
        $this->read();

        return new Ended((int) $this->code, $this->out, $this->err);
    }

    public function end(): void
    {
        if ($this->runs()) {
            $this->signal(15);
            try {
                $this->wait();
            } catch (RuntimeException $error) {
                $this->signal(9);
            }
        }
        if (is_resource($this->process)) {
            array_map('fclose', $this->pipes);
            proc_close($this->process);
        }
    }

    public function runs(): bool
    {
        if ($this->code !== null) {
            return false;
        }
        $status = proc_get_status($this->process);
        if (! $status['running']) {
            $this->code = $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'];
        }

        return $status['running'];
    }

    /**
     * @return mixed what the condition gives when it is not null
     */
    public function until(callable $condition, string $what)
    {
        $end = microtime(true) + self::PATIENCE;
        do {
            $ran = $this->runs();
            $this->read();
            $result = $condition();
            if ($result !== null) {
                return $result;
            }
            if ($ran) {
                $read = array_values(array_filter($this->pipes, static function ($pipe) {
                    return ! feof($pipe);
                }));
                $none = null;
                $read === [] ? usleep(10000) : @stream_select($read, $none, $none, 0, 50000);
            }
        } while ($ran && microtime(true) < $end);
        throw new RuntimeException("Waited in vain for {$what}\nstdout:\n{$this->out}\nstderr:\n{$this->err}");
    }

    private function read(): void
    {
        if (is_resource($this->pipes[1])) {
            $this->out .= stream_get_contents($this->pipes[1]);
            $this->err .= stream_get_contents($this->pipes[2]);
        }
    }

    private function lineOf(string $text, string $pattern, int $after): ?string
    {
        // What comes after the last newline is not all of its line yet.
        foreach (array_slice(explode("\n", substr($text, $after)), 0, -1) as $line) {
            if (preg_match($pattern, $line)) {
                return $line;
            }
        }

        return null;
    }
}
