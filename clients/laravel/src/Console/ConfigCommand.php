<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Peal\LaravelWebSockets\Settings\ServerEnvironment;
use Peal\LaravelWebSockets\Settings\SettingsFile;
use Peal\LaravelWebSockets\Settings\Translator;

/**
 * Shows what config/websockets.php becomes. With --write it writes it for the server: a running
 * websockets:serve calls that, so that a restart sees the configuration as it is by then.
 */
class ConfigCommand extends Command
{
    private const CONFIGURATION = 78;

    protected $signature = 'websockets:config
        {--write= : Write the settings, secrets included, into a file with mode 600}';

    protected $description = 'Show the settings that Peal is started with (secrets hidden)';

    public function handle(Translator $translator, ServerEnvironment $environment): int
    {
        $translation = $translator->translate();
        foreach (array_merge($translation->warnings(), $translation->refusals()) as $sentence) {
            $this->error($sentence);
        }
        if ($translation->refusals() !== []) {
            return self::CONFIGURATION;
        }
        if ($this->option('write') !== null) {
            SettingsFile::write((string) $this->option('write'), $translation, $environment);

            return 0;
        }
        $this->line((string) json_encode(
            $translation->withoutSecrets(),
            JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE
        ));

        return 0;
    }
}
