<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Server;

use RuntimeException;

/**
 * storage/framework/peal: for each running websockets:serve a state file and a settings file.
 */
final class StateFolder
{
    /** @var string */
    private $path;

    public function __construct(string $path)
    {
        $this->path = $path;
    }

    /**
     * The files of this process.
     */
    public function mine(): StateFile
    {
        if (! is_dir($this->path) && ! @mkdir($this->path, 0755, true) && ! is_dir($this->path)) {
            throw new RuntimeException("Cannot make the folder {$this->path}; may this user write there?");
        }
        if (! is_file("{$this->path}/.gitignore")) {
            @file_put_contents("{$this->path}/.gitignore", "*\n");
        }

        return new StateFile(sprintf('%s/serve-%d.json', $this->path, getmypid()));
    }

    /**
     * @return StateFile[] of commands that run now
     */
    public function running(): array
    {
        return array_values(array_filter($this->all(), static function (StateFile $state) {
            return $state->commandRuns();
        }));
    }

    /**
     * @return StateFile[] left by commands that were killed
     */
    public function left(): array
    {
        return array_values(array_filter($this->all(), static function (StateFile $state) {
            return ! $state->commandRuns();
        }));
    }

    /**
     * @return StateFile[]
     */
    private function all(): array
    {
        return array_filter(array_map([StateFile::class, 'read'], glob("{$this->path}/serve-*.json") ?: []));
    }
}
