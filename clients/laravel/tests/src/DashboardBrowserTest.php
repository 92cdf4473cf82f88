<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

/**
 * The dashboard in Chromium, as a person uses it; see browser.js.
 */
final class DashboardBrowserTest extends LaravelTestCase
{
    public function testAPersonListensAndSendsAndComesBackAfterARestart(): void
    {
        $playwright = dirname(__DIR__, 4) . '/tests/browser/node_modules/playwright-core';
        if (! is_dir($playwright) || ! is_executable('/usr/bin/chromium')) {
            self::markTestSkipped('There is no Chromium, or no playwright-core in tests/browser.');
        }
        $server = $this->app->serve();
        $browser = $this->app->start(
            ['node', dirname(__DIR__) . '/browser.js', $this->app->web() . '/laravel-websockets'],
            ['PLAYWRIGHT' => $playwright]
        );
        $browser->line('/^restart now$/');
        $server->process->signal(SIGUSR2);
        $ended = $browser->wait();
        self::assertSame(0, $ended->code, $ended->text());
    }
}
