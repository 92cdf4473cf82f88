<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

use RuntimeException;

/**
 * Writes a translation for Peal to read: JSON, which is YAML, and beside it the PEAL_* variables of
 * .env. Only their owner may read them, since secrets stand in them. (Arguments, and to the same user
 * the environment, show in `ps`.)
 */
final class SettingsFile
{
    public static function write(string $path, Translation $translation, ServerEnvironment $environment): void
    {
        $text = json_encode(
            $translation->settings(),
            JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR
        );
        self::replace($path, "# written by php artisan websockets:serve\n" . $text . "\n");
        self::replace(self::environmentPath($path), $environment->dotEnv());
    }

    public static function environmentPath(string $path): string
    {
        return $path . '.env';
    }

    /**
     * Readers see the old content or the new one, never half of it: a server may reload at any time.
     */
    private static function replace(string $path, string $text): void
    {
        $new = $path . '.new';
        @unlink($new);
        $mask = umask(0077);
        try {
            $written = @file_put_contents($new, $text);
        } finally {
            umask($mask);
        }
        if ($written === false || ! @rename($new, $path)) {
            throw new RuntimeException("Cannot write {$path}; may this user write to that folder?");
        }
    }
}
