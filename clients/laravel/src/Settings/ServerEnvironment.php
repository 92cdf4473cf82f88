<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

use Dotenv\Dotenv;
use Illuminate\Foundation\Application;

/**
 * The environments of the processes that we start.
 *
 * Laravel has put .env into our own environment, where it would win over a .env that was changed
 * later. So children get what this process was started with.
 *
 * Peal reads the variables of other servers by itself (PUSHER_APP_ID and so on), which would win over
 * what this application's configuration says. So of those names nothing is passed on:
 * config/websockets.php is the one source of apps. The PEAL_* variables of .env go on in a file of
 * their own, so that a restart or reload sees what they are by then.
 */
final class ServerEnvironment
{
    private const NOT_FOR_PEAL = '/^(PUSHER|REVERB|SOKETI|LARAVEL_WEBSOCKETS)_|^PEAL_BINARY$/';

    /** @var Application */
    private $app;

    public function __construct(Application $app)
    {
        $this->app = $app;
    }

    /**
     * @return array<string, string> what this process was started with
     */
    public static function initial(): array
    {
        $text = @file_get_contents('/proc/self/environ');
        if (! is_string($text) || $text === '') {
            return getenv();
        }
        $variables = [];
        foreach (explode("\0", rtrim($text, "\0")) as $line) {
            [$name, $value] = explode('=', $line, 2) + [1 => ''];
            $variables[$name] = $value;
        }

        return $variables;
    }

    /**
     * @return array<string, string|false> the same in the terms of Symfony's Process, which adds to what is there
     */
    public static function initialForProcess(): array
    {
        return self::initial() + array_fill_keys(array_keys(getenv() + $_ENV + $_SERVER), false);
    }

    /**
     * @return array<string, string>
     */
    public function forPeal(): array
    {
        return array_filter(self::initial(), static function ($name) {
            return ! preg_match(self::NOT_FOR_PEAL, (string) $name);
        }, ARRAY_FILTER_USE_KEY);
    }

    /**
     * @return string what Peal reads as its .env
     */
    public function dotEnv(): string
    {
        $lines = '';
        foreach ($this->variablesOfFile() as $name => $value) {
            $lines .= sprintf("%s=\"%s\"\n", $name, addcslashes((string) $value, "\\\"\$"));
        }

        return $lines;
    }

    /**
     * @return array<string, string> the PEAL_* variables of .env
     */
    private function variablesOfFile(): array
    {
        $file = $this->app->environmentFilePath();
        if (! is_readable($file) || ! class_exists(Dotenv::class)) {
            return [];
        }

        return array_filter(
            Dotenv::parse((string) file_get_contents($file)),
            static function ($value, $name) {
                return $value !== null && preg_match('/^PEAL_(?!BINARY$)/', (string) $name);
            },
            ARRAY_FILTER_USE_BOTH
        );
    }
}
