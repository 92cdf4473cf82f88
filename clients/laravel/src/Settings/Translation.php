<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Settings;

/**
 * What became of config/websockets.php: settings of Peal, what deserves a look, and what cannot be.
 */
final class Translation
{
    /** @var array<string, mixed> */
    private $settings = [];

    /** @var array<int, array<string, mixed>> */
    private $apps = [];

    /** @var string[] */
    private $warnings = [];

    /** @var string[] */
    private $refusals = [];

    /**
     * @param mixed $value
     */
    public function set(string $dotted, $value): void
    {
        self::place($this->settings, $dotted, $value);
    }

    /**
     * @param array<string, mixed> $options dotted names; `id`, `key` and `secrets` among them
     */
    public function addApp(array $options): void
    {
        $app = [];
        foreach ($options as $dotted => $value) {
            self::place($app, (string) $dotted, $value);
        }
        $this->apps[] = $app;
    }

    public function warn(string $sentence): void
    {
        $this->warnings[] = $sentence;
    }

    public function refuse(string $sentence): void
    {
        $this->refusals[] = $sentence;
    }

    /**
     * @return array<string, mixed> the shape of peal.yaml, secrets included
     */
    public function settings(): array
    {
        return $this->apps === [] ? $this->settings : $this->settings + ['apps' => $this->apps];
    }

    /**
     * @return array<string, mixed> the same, for people's eyes
     */
    public function withoutSecrets(): array
    {
        $settings = $this->settings();
        foreach ($settings['apps'] ?? [] as $index => $app) {
            $settings['apps'][$index]['secrets'] = sprintf('(%d hidden)', count($app['secrets']));
        }
        if (isset($settings['store'])) {
            $settings['store'] = preg_replace('~(://[^:/@]*):[^@]*@~', '$1:(hidden)@', $settings['store']);
        }

        return $settings;
    }

    /**
     * @return string[]
     */
    public function warnings(): array
    {
        return $this->warnings;
    }

    /**
     * @return string[] sentences; where there is one, the server must not start
     */
    public function refusals(): array
    {
        return $this->refusals;
    }

    /**
     * @param array<string, mixed> $into
     * @param mixed $value
     */
    private static function place(array &$into, string $dotted, $value): void
    {
        $here = &$into;
        foreach (explode('.', $dotted) as $name) {
            if (! is_array($here)) {
                $here = [];
            }
            $here = &$here[$name];
        }
        $here = $value;
    }
}
