<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class InstallTest extends LaravelTestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        mkdir("{$this->app->path}/made/usr/bin", 0755, true);
        copy((string) getenv('PEAL_BINARY'), "{$this->app->path}/made/usr/bin/peal");
        chmod("{$this->app->path}/made/usr/bin/peal", 0755);
    }

    public function testATarballIsFoundAndItsProgramServes(): void
    {
        $this->runs(['tar', '-C', "{$this->app->path}/made", '-czf', 'peal-0.1.0-linux.tar.gz', 'usr']);
        // Forced, because this machine may have one in /usr/bin, which would do.
        $installed = $this->install('--force');
        self::assertSame(0, $installed->code, $installed->text());
        self::assertStringContainsString('peal-0.1.0-linux.tar.gz', $installed->out);
        self::assertSame(0755, fileperms("{$this->app->path}/peal") & 0777);
        $process = $this->app->start([PHP_BINARY, 'artisan', 'websockets:serve'], ['WEBSOCKETS_PEAL_BINARY' => '']);
        $server = new Server($process, $process->line('/^peal ready /'));
        self::assertSame("{$this->app->path}/peal", readlink("/proc/{$server->pid}/exe"));
        $again = $this->install();
        self::assertStringContainsString('Nothing to do', $again->out);
    }

    public function testADebianPackage(): void
    {
        mkdir("{$this->app->path}/made/DEBIAN");
        file_put_contents("{$this->app->path}/made/DEBIAN/control", "Package: peal\nVersion: 0.1.0\n"
            . "Architecture: all\nMaintainer: Nobody <nobody@example.com>\nDescription: a test\n");
        $this->runs(['dpkg-deb', '--build', "{$this->app->path}/made", 'peal_0.1.0_all.deb']);
        $installed = $this->install("{$this->app->path}/peal_0.1.0_all.deb");
        self::assertSame(0, $installed->code, $installed->text());
        self::assertFileExists("{$this->app->path}/peal");
    }

    public function testThePackagesOfTheRepositoryAreTaken(): void
    {
        $packages = glob(dirname(__DIR__, 4) . '/build/package/peal[_-]*.{deb,tar.gz}', GLOB_BRACE) ?: [];
        if ($packages === []) {
            self::markTestSkipped('./dev package has made none.');
        }
        foreach ($packages as $package) {
            @unlink("{$this->app->path}/peal");
            $installed = $this->install($package);
            self::assertSame(0, $installed->code, $installed->text());
            self::assertTrue(is_executable("{$this->app->path}/peal"), $package);
        }
    }

    public function testAProgramThatDoesNotRunHereReplacesNothing(): void
    {
        self::assertSame(0, $this->install("{$this->app->path}/made/usr/bin/peal")->code);
        $before = sha1_file("{$this->app->path}/peal");
        file_put_contents("{$this->app->path}/broken", "\x7fELF\x02\x01\x01 of another machine");
        chmod("{$this->app->path}/broken", 0755);
        $installed = $this->install("{$this->app->path}/broken");
        self::assertSame(1, $installed->code, $installed->text());
        self::assertStringContainsString('another', $installed->text());
        self::assertSame($before, sha1_file("{$this->app->path}/peal"));
    }

    public function testACheckoutIsBuilt(): void
    {
        $root = dirname(__DIR__, 4);
        if (realpath((string) getenv('PEAL_BINARY')) !== realpath("{$root}/build/release/peal")) {
            self::markTestSkipped('The server under test is none of this checkout.');
        }
        $build = $this->app->start(['ninja', '-C', "{$root}/build/release", '-n'])->wait();
        if (strpos($build->out, 'no work to do') === false) {
            self::markTestSkipped('The checkout has changed since it was built.');
        }
        $installed = $this->install($root);
        self::assertSame(0, $installed->code, $installed->text());
        self::assertFileEquals("{$root}/build/release/peal", "{$this->app->path}/peal");
    }

    public function testWhatIsNothingIsSaidToBeNothing(): void
    {
        foreach (['/nowhere/peal' => 'There is no', $this->app->path => 'no checkout of Peal'] as $source => $said) {
            $installed = $this->install($source);
            self::assertSame(1, $installed->code);
            self::assertStringContainsString($said, $installed->text());
        }
    }

    /**
     * Without the binary under test, and with a PATH that is unlikely to have one.
     */
    private function install(string ...$arguments): Ended
    {
        return $this->app->start(
            array_merge([PHP_BINARY, 'artisan', 'websockets:install'], $arguments),
            ['WEBSOCKETS_PEAL_BINARY' => '']
        )->wait();
    }

    /**
     * @param string[] $command
     */
    private function runs(array $command): void
    {
        $ended = $this->app->start($command)->wait();
        self::assertSame(0, $ended->code, $ended->text());
    }
}
