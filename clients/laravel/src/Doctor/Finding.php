<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

/**
 * What a check found, and the line to change.
 */
final class Finding
{
    public const GOOD = 'ok';
    public const NOTE = 'note';
    public const PROBLEM = 'problem';

    /** @var string */
    private $level;

    /** @var string */
    private $text;

    /** @var string */
    private $fix;

    private function __construct(string $level, string $text, string $fix)
    {
        $this->level = $level;
        $this->text = $text;
        $this->fix = $fix;
    }

    public static function good(string $text): self
    {
        return new self(self::GOOD, $text, '');
    }

    /**
     * Deserves a look, and may be meant so.
     */
    public static function note(string $text, string $fix): self
    {
        return new self(self::NOTE, $text, $fix);
    }

    public static function problem(string $text, string $fix): self
    {
        return new self(self::PROBLEM, $text, $fix);
    }

    public function level(): string
    {
        return $this->level;
    }

    public function text(): string
    {
        return $this->text;
    }

    /**
     * Lines for a file or a shell.
     */
    public function fix(): string
    {
        return $this->fix;
    }

    /**
     * @return array<string, string>
     */
    public function toArray(): array
    {
        return ['level' => $this->level, 'text' => $this->text, 'fix' => $this->fix];
    }
}
