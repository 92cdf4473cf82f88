<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

final class DoctorTest extends LaravelTestCase
{
    public function testAHealthyApplicationHasNoProblem(): void
    {
        $server = $this->app->serve();
        $this->app->env(['VITE_PUSHER_HOST' => '127.0.0.1', 'VITE_PUSHER_PORT' => $server->port,
            'VITE_PUSHER_SCHEME' => 'http', 'VITE_PUSHER_APP_KEY' => 'shop-key']);
        $ended = $this->app->artisan('websockets:doctor');
        self::assertSame(0, $ended->code, $ended->text());
        self::assertStringContainsString('No problem found', $ended->out);
        self::assertStringContainsString('accepts what this application signs', $ended->out);
        self::assertStringContainsString("ws://127.0.0.1:{$server->port} lets a page of", $ended->out);
        self::assertStringNotContainsString('a-secret-that-is-long-enough', $ended->text());
    }

    public function testADriverThatPublishesNowhere(): void
    {
        $name = Application::major() < 11 ? 'BROADCAST_DRIVER' : 'BROADCAST_CONNECTION';
        foreach (['log', 'null'] as $driver) {
            $this->app->env(['BROADCAST_DRIVER' => $driver, 'BROADCAST_CONNECTION' => $driver]);
            $finding = $this->problem('Broadcasting');
            self::assertStringContainsString("\"{$driver}\"", $finding['text']);
            self::assertStringContainsString("{$name}=pusher", $finding['fix']);
        }
    }

    public function testNoServer(): void
    {
        $port = Application::freePort();
        $admin = '127.0.0.1:' . Application::freePort();
        $this->app->env(['PUSHER_PORT' => $port, 'LARAVEL_WEBSOCKETS_PORT' => $port, 'WEBSOCKETS_ADMIN' => $admin]);
        self::assertStringContainsString('websockets:serve', $this->problem('Server')['fix']);
        self::assertStringContainsString("127.0.0.1:{$port}", $this->problem('Publishing')['text']);
    }

    public function testPublishingToPusherItself(): void
    {
        $this->app->env(['PUSHER_HOST' => null]);
        $finding = $this->problem('Publishing');
        self::assertStringContainsString('api-mt1.pusher.com', $finding['text']);
        self::assertStringContainsString("'host' => env('PUSHER_HOST'", $finding['fix']);
    }

    public function testTlsToAPortWithoutTls(): void
    {
        $server = $this->app->serve();
        $this->app->env(['PUSHER_SCHEME' => 'https', 'VITE_PUSHER_HOST' => '127.0.0.1',
            'VITE_PUSHER_PORT' => $server->port, 'VITE_PUSHER_SCHEME' => 'https']);
        self::assertStringContainsString('PUSHER_SCHEME=http', $this->problem('Publishing')['fix']);
        self::assertStringContainsString('VITE_PUSHER_SCHEME=http', $this->problem('Browsers')['fix']);
    }

    public function testASecretThatTheRunningServerDoesNotKnow(): void
    {
        $this->app->serve();
        $this->app->env(['PUSHER_APP_SECRET' => 'another-secret-that-is-long']);
        $finding = $this->problem('Publishing');
        self::assertStringContainsString('401', $finding['text']);
        self::assertStringContainsString('websockets:restart', $finding['fix']);
    }

    public function testAPageWithAnotherKey(): void
    {
        $server = $this->app->serve();
        $this->app->env(['VITE_PUSHER_APP_KEY' => 'old-key']);
        $finding = $this->problem('Keys');
        self::assertStringContainsString('old-key', $finding['text']);
        self::assertStringContainsString('npm run build', $finding['fix']);
        self::assertNotSame(0, $server->port);
    }

    public function testASecretThatIsEasyToGuessInProduction(): void
    {
        $this->app->env(['APP_ENV' => 'production', 'PUSHER_APP_SECRET' => 'secret']);
        self::assertStringContainsString('openssl rand', $this->problem('Keys')['fix']);
    }

    /**
     * @testWith [""]
     *           [null]
     */
    public function testAnEmptySecretIsCalledEmpty(?string $secret): void
    {
        $this->app->env(['PUSHER_APP_SECRET' => $secret]);
        $finding = $this->problem('Keys');
        self::assertStringContainsString('is empty', $finding['text']);
        self::assertStringContainsString('PUSHER_APP_SECRET=', $finding['fix']);
        self::assertStringContainsString('openssl rand', $finding['fix']);
    }

    public function testAnApplicationWithMixIsToldNamesOfMix(): void
    {
        $this->app->env(['MIX_PUSHER_APP_KEY' => 'shop-key']);
        self::assertStringContainsString('MIX_PUSHER_HOST', $this->findings('Browsers', 'note')[0]['fix']);
        $this->app->env(['MIX_PUSHER_HOST' => '127.0.0.1', 'MIX_PUSHER_PORT' => Application::freePort()]);
        $fix = $this->problem('Browsers')['fix'];
        self::assertStringContainsString('MIX_PUSHER_PORT', $fix);
        self::assertStringNotContainsString('VITE_', $fix);
    }

    public function testAnOriginThatTheServerDoesNotLetIn(): void
    {
        $this->app->write('config/websockets.php', "<?php return ['apps' => [['id' => 'shop', 'key' => 'shop-key', "
            . "'secret' => 'a-secret-that-is-long-enough', 'allowed_origins' => ['shop.example.com']]]];");
        $server = $this->app->serve();
        $this->app->env(['VITE_PUSHER_HOST' => '127.0.0.1', 'VITE_PUSHER_PORT' => $server->port]);
        $finding = $this->problem('Browsers');
        self::assertStringContainsString('4009', $finding['text']);
        self::assertStringContainsString('allowed_origins', $finding['fix']);
    }

    public function testSomethingElseThanTheServerAnswersBrowsers(): void
    {
        $this->app->serve();
        $web = parse_url($this->app->web());
        $this->app->env(['VITE_PUSHER_HOST' => '127.0.0.1', 'VITE_PUSHER_PORT' => $web['port']]);
        $finding = $this->problem('Browsers');
        self::assertStringContainsString('404', $finding['text']);
        self::assertStringContainsString('Upgrade', $finding['fix']);
    }

    public function testSomethingElseThanTheServerAnswersPublishers(): void
    {
        $server = $this->app->serve();
        $web = parse_url($this->app->web());
        $this->app->env(['PUSHER_HOST' => '127.0.0.1', 'PUSHER_PORT' => $web['port']]);
        $finding = $this->problem('Publishing');
        self::assertStringContainsString('404', $finding['text']);
        self::assertStringContainsString("PUSHER_PORT={$server->port}", $finding['fix']);
    }

    public function testJobsThatWaitForAWorker(): void
    {
        $this->app->write('database/migrations/2020_01_01_000000_create_jobs_table.php', <<<'PHP'
            <?php
            return new class extends Illuminate\Database\Migrations\Migration {
                public function up()
                {
                    Illuminate\Support\Facades\Schema::create('jobs', function ($table) {
                        $table->bigIncrements('id');
                        $table->string('queue')->index();
                        $table->longText('payload');
                        $table->unsignedTinyInteger('attempts');
                        $table->unsignedInteger('reserved_at')->nullable();
                        $table->unsignedInteger('available_at');
                        $table->unsignedInteger('created_at');
                    });
                }
            };
            PHP);
        $this->app->artisan('migrate', '--force');
        $this->app->env(['QUEUE_CONNECTION' => 'database']);
        $this->app->artisan('app:queue', '2');
        $finding = $this->problem('Queue');
        self::assertStringContainsString('2 jobs wait', $finding['text']);
        self::assertStringContainsString('queue:work', $finding['fix']);
        $this->app->start([PHP_BINARY, 'artisan', 'queue:work'])->until(function () {
            return count($this->findings('Queue', 'ok')) > 0 ? true : null;
        }, 'the worker');
        $this->app->env(['QUEUE_CONNECTION' => 'sync']);
        self::assertStringContainsString('"sync"', $this->findings('Queue', 'note')[0]['text']);
    }

    public function testACachedConfigurationThatIsOlderThanTheDotEnvFile(): void
    {
        $this->app->artisan('config:cache');
        touch($this->app->path . '/bootstrap/cache/config.php', time() - 10);
        self::assertStringContainsString('config:clear', $this->problem('Server')['fix']);
    }

    /**
     * @return array<string, string>
     */
    private function problem(string $subject): array
    {
        $problems = $this->findings($subject, 'problem');
        self::assertNotEmpty($problems, "no problem of {$subject}");

        return $problems[0];
    }

    /**
     * @return array<int, array<string, string>>
     */
    private function findings(string $subject, string $level): array
    {
        $ended = $this->app->artisan('websockets:doctor', '--json');
        $findings = json_decode($ended->out, true);
        self::assertIsArray($findings, $ended->text());
        $problems = array_filter($findings, static function (array $finding) {
            return $finding['level'] === 'problem';
        });
        self::assertSame($problems === [] ? 0 : 1, $ended->code);

        return array_values(array_filter($findings, static function (array $finding) use ($subject, $level) {
            return $finding['subject'] === $subject && $finding['level'] === $level;
        }));
    }
}
