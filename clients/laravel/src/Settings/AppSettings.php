<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

/**
 * One entry of `apps` in config/websockets.php, whichever version of laravel-websockets wrote it.
 *
 * The secret stays in here: this object is never handed to a view or turned into JSON.
 */
final class AppSettings
{
    /** @var string */
    private $id;

    /** @var string */
    private $key;

    /** @var string[] the first signs, all verify */
    private $secrets;

    /** @var array<string, mixed> */
    private $entry;

    /**
     * @param array<string, mixed> $entry
     */
    public function __construct(array $entry)
    {
        $this->entry = $entry;
        $this->id = trim((string) ($entry['id'] ?? ''));
        $this->key = trim((string) ($entry['key'] ?? ''));
        $this->secrets = self::texts($entry['secrets'] ?? $entry['secret'] ?? []);
    }

    /**
     * One text or a list of them, without those that are empty.
     *
     * @param mixed $value
     *
     * @return string[]
     */
    public static function texts($value): array
    {
        $texts = [];
        foreach ((array) $value as $text) {
            if (trim((string) $text) !== '') {
                $texts[] = trim((string) $text);
            }
        }

        return $texts;
    }

    public function id(): string
    {
        return $this->id;
    }

    public function key(): string
    {
        return $this->key;
    }

    /**
     * The secret that signs.
     */
    public function secret(): string
    {
        return $this->secrets[0] ?? '';
    }

    /**
     * @return string[]
     */
    public function secrets(): array
    {
        return $this->secrets;
    }

    public function name(): string
    {
        return (string) ($this->entry['name'] ?? '') ?: $this->id;
    }

    /**
     * Where browsers connect, if the configuration says so (2.x: PUSHER_APP_HOST).
     */
    public function host(): ?string
    {
        return ((string) ($this->entry['host'] ?? '')) ?: null;
    }

    public function path(): string
    {
        return trim((string) ($this->entry['path'] ?? ''), '/');
    }

    /**
     * An entry whose variables are not in .env is no app and no mistake: the published file has one.
     */
    public function isEmpty(): bool
    {
        return $this->id === '' && $this->key === '' && $this->secrets === [];
    }

    /**
     * Which of the three things that an app needs are missing.
     *
     * @return string[]
     */
    public function missing(): array
    {
        $missing = [];
        foreach (['id' => $this->id, 'key' => $this->key, 'secret' => $this->secret()] as $name => $value) {
            if ($value === '') {
                $missing[] = $name;
            }
        }

        return $missing;
    }

    /**
     * @param mixed $default
     *
     * @return mixed
     */
    public function get(string $name, $default = null)
    {
        return $this->entry[$name] ?? $default;
    }
}
