<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use RuntimeException;
use Symfony\Component\Process\ExecutableFinder;
use Symfony\Component\Process\Process;

/**
 * The running program. Its log goes straight to where our stderr goes; its stdout, which carries the
 * ready lines and nothing else, comes through us.
 *
 * Where we can pass signals on, it gets a session of its own, so that Ctrl-C in a terminal reaches it
 * once, through us: a second signal would end it without a farewell. And it is told to end with us,
 * whatever ends us, where the system has setpriv: else a killed command would leave the server behind,
 * with the port.
 */
final class ServerProcess
{
    // The numbers of Linux; PHP knows their names only with the extension pcntl.
    public const HUP = 1;
    public const INT = 2;
    public const QUIT = 3;
    public const USR2 = 12;
    public const TERM = 15;
    public const SIGNALS = [self::HUP, self::INT, self::QUIT, self::USR2, self::TERM];

    /** @var resource */
    private $process;

    /** @var resource its stdout */
    private $output;

    /** @var string the beginning of a line */
    private $partial = '';

    /** @var int */
    private $pid;

    /** @var int|null */
    private $exitCode;

    /**
     * @param string[] $command
     * @param array<string, string> $environment
     */
    public function __construct(array $command, string $folder, array $environment, bool $signalsPass)
    {
        $pipes = [];
        // Descriptor 2 is not named and so inherited. PHP would set the position of STDERR's file to where
        // it believes that it is, the start, and a log that was opened by ">" would be overwritten.
        $process = proc_open(
            array_merge($this->wrappers($signalsPass), $command),
            [0 => ['file', '/dev/null', 'r'], 1 => ['pipe', 'w']],
            $pipes,
            $folder,
            $environment
        );
        if ($process === false) {
            throw new RuntimeException("Cannot start {$command[0]}.");
        }
        $this->process = $process;
        $this->output = $pipes[1];
        stream_set_blocking($this->output, false);
        $this->pid = (int) proc_get_status($process)['pid'];
    }

    public function pid(): int
    {
        return $this->pid;
    }

    public function signal(int $signal): void
    {
        if ($this->runs()) {
            proc_terminate($this->process, $signal);
        }
    }

    public function runs(): bool
    {
        if ($this->exitCode !== null) {
            return false;
        }
        $status = proc_get_status($this->process);
        if (! $status['running']) {
            // Only the first look at an ended process has its code.
            $this->exitCode = $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'];
        }

        return $status['running'];
    }

    /**
     * @return int|null the code of the program as a shell would say it; null while it runs
     */
    public function exitCode(): ?int
    {
        return $this->exitCode;
    }

    /**
     * Waits for output, a signal or the time, and returns the lines that came.
     *
     * @return string[]
     */
    public function lines(float $seconds): array
    {
        $read = [$this->output];
        $none = null;
        if (feof($this->output)) {
            usleep(20000);

            return [];
        }
        // A signal interrupts the wait with a warning, which is what is wanted.
        @stream_select($read, $none, $none, (int) $seconds, (int) (fmod($seconds, 1) * 1000000));
        $lines = explode("\n", $this->partial . stream_get_contents($this->output));
        $this->partial = array_pop($lines);

        return $lines;
    }

    public function close(): void
    {
        fclose($this->output);
        proc_close($this->process);
    }

    /**
     * @return string[]
     */
    private function wrappers(bool $signalsPass): array
    {
        $finder = new ExecutableFinder();
        $wrappers = [];
        $setsid = $finder->find('setsid');
        if ($signalsPass && $setsid !== null) {
            $wrappers[] = $setsid;
        }
        $setpriv = $finder->find('setpriv');
        if ($setpriv !== null && (new Process([$setpriv, '--pdeathsig', 'TERM', 'true']))->run() === 0) {
            array_push($wrappers, $setpriv, '--pdeathsig', 'TERM');
        }

        return $wrappers;
    }
}
