<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Install;

use Illuminate\Contracts\Foundation\Application;
use Peal\LaravelWebSockets\Server\Binary;
use RuntimeException;
use Symfony\Component\Process\Process;

/**
 * Gets the program out of whatever there is, tries it, and only then puts it into place: a program
 * that does not run on this machine never replaces one that does.
 */
final class Installer
{
    /** Building from nothing may take minutes on a small machine. */
    private const PATIENCE = 1800;

    /** Debian's packages with the libraries that the program is linked with. */
    private const PACKAGES = 'libuv1 libssl3 libyaml-0-2 libcurl4';

    /** @var Application */
    private $app;

    /** @var Binary */
    private $binary;

    public function __construct(Application $app, Binary $binary)
    {
        $this->app = $app;
        $this->binary = $binary;
    }

    /**
     * A package in the application's folder, or a checkout beside the application or around this
     * package.
     */
    public function findSource(): ?string
    {
        foreach (['peal_*.deb', 'peal-*.tar.gz'] as $pattern) {
            $found = glob($this->app->basePath($pattern)) ?: [];
            if ($found !== []) {
                return end($found);
            }
        }
        foreach ([dirname(__DIR__, 4), $this->app->basePath('../peal')] as $folder) {
            if ($this->isCheckout($folder)) {
                return (string) realpath($folder);
            }
        }

        return null;
    }

    /**
     * @param callable(string): void $show what the build says
     *
     * @return string the version that is there now
     */
    public function install(string $source, string $target, callable $show): string
    {
        $folder = sys_get_temp_dir() . '/peal-install-' . bin2hex(random_bytes(6));
        if (! mkdir($folder, 0700)) {
            throw new RuntimeException("Cannot make the folder {$folder}.");
        }
        try {
            $program = $this->obtain($source, $folder, $show);
            $version = $this->binary->version($program);
            if ($version === null) {
                throw new RuntimeException($this->whyNot($program));
            }
            $this->place($program, $target);

            return $version;
        } finally {
            (new Process(['rm', '-rf', $folder]))->run();
        }
    }

    private function obtain(string $source, string $folder, callable $show): string
    {
        if (is_dir($source)) {
            return $this->build($source, $show);
        }
        if (! is_file($source)) {
            throw new RuntimeException("There is no {$source}.");
        }
        if (substr($source, -4) === '.deb') {
            $this->run(['dpkg-deb', '-x', $source, $folder], 'dpkg-deb, which comes with Debian and Ubuntu');

            return $this->programIn($folder, $source);
        }
        if (preg_match('/\.(tar\.gz|tgz)$/', $source)) {
            $this->run(['tar', '-xzf', $source, '-C', $folder], 'tar');

            return $this->programIn($folder, $source);
        }

        return (string) realpath($source);
    }

    private function build(string $folder, callable $show): string
    {
        if (! $this->isCheckout($folder)) {
            throw new RuntimeException("{$folder} is no checkout of Peal: it has no CMakeLists.txt and no dev.");
        }
        $process = new Process(['sh', 'dev', 'build'], $folder);
        $process->setTimeout(self::PATIENCE);
        $process->run(static function (string $type, string $text) use ($show): void {
            $show($text);
        });
        if (! $process->isSuccessful()) {
            throw new RuntimeException("Building failed. In {$folder}, try: ./dev build");
        }

        return "{$folder}/build/release/peal";
    }

    private function programIn(string $folder, string $source): string
    {
        foreach (['/usr/bin/peal', '/bin/peal', '/*/bin/peal', '/*/*/bin/peal', '/peal'] as $place) {
            $found = glob($folder . $place) ?: [];
            if ($found !== []) {
                return $found[0];
            }
        }
        throw new RuntimeException("There is no program peal in {$source}.");
    }

    private function whyNot(string $program): string
    {
        $process = new Process(['ldd', $program]);
        $process->run();
        preg_match_all('/^\s*(\S+) => not found/m', $process->getOutput(), $missing);
        if ($missing[1] !== []) {
            return 'It needs libraries that are not here: ' . implode(', ', $missing[1])
                . '. On Debian and Ubuntu: sudo apt install ' . self::PACKAGES;
        }

        return 'It does not run on this machine (' . php_uname('m') . ', ' . php_uname('s')
            . '); it was made for another one. Build it here: php artisan websockets:install /path/to/checkout';
    }

    /**
     * By renaming, so that a running server's program is not written to.
     */
    private function place(string $program, string $target): void
    {
        $new = "{$target}.new";
        if (! @copy($program, $new) || ! chmod($new, 0755) || ! rename($new, $target)) {
            throw new RuntimeException("Cannot write {$target}; may this user write to that folder?");
        }
    }

    /**
     * @param string[] $command
     */
    private function run(array $command, string $tool): void
    {
        $process = new Process($command);
        $process->setTimeout(120);
        $process->run();
        if (! $process->isSuccessful()) {
            throw new RuntimeException(
                "{$command[0]} failed (it takes {$tool}): " . trim($process->getErrorOutput())
            );
        }
    }

    private function isCheckout(string $folder): bool
    {
        return is_file("{$folder}/CMakeLists.txt") && is_file("{$folder}/dev") && is_dir("{$folder}/src/hub");
    }
}
