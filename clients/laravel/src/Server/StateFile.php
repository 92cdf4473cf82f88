<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use Peal\LaravelWebSockets\Settings\SettingsFile;

/**
 * What one running websockets:serve tells the other commands: its pid, the server's, the addresses,
 * and what became of the last restart. No secrets; those stand in the settings file beside it.
 */
final class StateFile
{
    /** @var string */
    private $path;

    /** @var array<string, mixed> */
    private $values;

    /**
     * @param array<string, mixed> $values
     */
    public function __construct(string $path, array $values = [])
    {
        $this->path = $path;
        $this->values = $values;
    }

    public static function read(string $path): ?self
    {
        $values = json_decode((string) @file_get_contents($path), true);

        return is_array($values) ? new self($path, $values) : null;
    }

    /**
     * @param mixed $default
     *
     * @return mixed
     */
    public function get(string $name, $default = null)
    {
        return $this->values[$name] ?? $default;
    }

    /**
     * @param array<string, mixed> $values
     */
    public function update(array $values): void
    {
        $this->values = $values + $this->values;
        $new = $this->path . '.new';
        if (@file_put_contents($new, json_encode($this->values, JSON_UNESCAPED_SLASHES) . "\n") !== false) {
            @rename($new, $this->path);
        }
    }

    public function path(): string
    {
        return $this->path;
    }

    public function settingsPath(): string
    {
        return substr($this->path, 0, -strlen('.json')) . '.yaml';
    }

    public function remove(): void
    {
        foreach ([$this->path, $this->settingsPath(), SettingsFile::environmentPath($this->settingsPath())] as $path) {
            @unlink($path);
        }
    }

    /**
     * The artisan process.
     */
    public function commandPid(): int
    {
        return (int) $this->get('command_pid');
    }

    public function serverPid(): int
    {
        return (int) $this->get('server_pid');
    }

    public function commandRuns(): bool
    {
        return self::runs($this->commandPid(), 'websockets:serve');
    }

    /**
     * Whether the server itself is there; its settings file in its arguments tells it from a stranger
     * who got the pid later.
     */
    public function serverRuns(): bool
    {
        return self::runs($this->serverPid(), (string) $this->get('settings'));
    }

    private static function runs(int $pid, string $argument): bool
    {
        $line = $pid > 0 ? (string) @file_get_contents("/proc/{$pid}/cmdline") : '';

        return $argument !== '' && strpos($line, $argument) !== false;
    }
}
