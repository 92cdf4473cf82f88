<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Http;

/**
 * What a request came to. Status 0 means that nobody answered; then the error says why.
 */
final class Answer
{
    /** @var int */
    private $status;

    /** @var string */
    private $body;

    /** @var string */
    private $error;

    public function __construct(int $status, string $body, string $error = '')
    {
        $this->status = $status;
        $this->body = $body;
        $this->error = $error;
    }

    public function status(): int
    {
        return $this->status;
    }

    public function ok(): bool
    {
        return $this->status === 200;
    }

    /**
     * @return array<string, mixed>
     */
    public function json(): array
    {
        $value = json_decode($this->body, true);

        return is_array($value) ? $value : [];
    }

    /**
     * The reason of a failure, for people.
     */
    public function why(): string
    {
        if ($this->status === 0) {
            return $this->error;
        }
        $said = (string) ($this->json()['error'] ?? trim(strip_tags($this->body)));

        return "status {$this->status}: " . mb_strimwidth($said, 0, 400, '…');
    }
}
