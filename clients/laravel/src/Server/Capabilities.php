<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Symfony\Component\Process\Process;
use Throwable;

/**
 * Which options the installed Peal has, as it says itself, so that this package works with an older
 * or newer one: an unknown option would be an error.
 */
final class Capabilities
{
    /** @var array<string, true> */
    private $names;

    /**
     * @param string[] $names
     */
    public function __construct(array $names)
    {
        $this->names = array_fill_keys($names, true);
    }

    public static function of(?string $binary): self
    {
        if ($binary === null) {
            return new self([]);
        }
        try {
            $process = new Process([$binary, 'help', 'options']);
            $process->run();
        } catch (Throwable $error) {
            return new self([]);
        }
        preg_match_all('/^  (?:apps\[\]\.)?([a-z][a-z0-9_.]*)(?:  \(|$)/m', $process->getOutput(), $found);

        return new self($found[1]);
    }

    public function has(string $option): bool
    {
        return isset($this->names[$option]);
    }
}
