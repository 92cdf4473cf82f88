<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

/**
 * What a command left behind.
 */
final class Ended
{
    /** @var int */
    public $code;

    /** @var string */
    public $out;

    /** @var string */
    public $err;

    public function __construct(int $code, string $out, string $err)
    {
        $this->code = $code;
        $this->out = $out;
        $this->err = $err;
    }

    public function text(): string
    {
        return $this->out . $this->err;
    }
}
