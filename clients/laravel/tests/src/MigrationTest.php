<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

/**
 * What an application that had laravel-websockets says and does.
 */
final class MigrationTest extends LaravelTestCase
{
    private const OLD = 'BeyondCode\LaravelWebSockets\WebSocketsServiceProvider';
    private const NEW = 'Peal\LaravelWebSockets\WebSocketsServiceProvider';

    private const TABLE_OF_VERSION_1
        = 'database/migrations/0000_00_00_000000_create_websockets_statistics_entries_table.php';

    /**
     * @dataProvider providers
     */
    public function testTheDocumentedLinesPublishConfigurationAndMigration(string $provider): void
    {
        foreach (['config', 'migrations'] as $tag) {
            $ended = $this->app->artisan('vendor:publish', "--provider={$provider}", "--tag={$tag}");
            self::assertSame(0, $ended->code, $ended->text());
        }
        self::assertFileExists($this->app->path . '/config/websockets.php');
        $migrations = "{$this->app->path}/database/migrations";
        self::assertCount(1, glob("{$migrations}/*_create_websockets_statistics_entries_table.php"));
        self::assertCount(1, glob("{$migrations}/*_rename_statistics_counters.php"));
        self::assertSame(0, $this->app->artisan('migrate', '--force')->code);
        self::assertSame('[]', trim($this->app->artisan('app:rows')->out));
        self::assertSame(0, $this->app->artisan('websockets:config')->code);
    }

    public function providers(): array
    {
        return ['old name' => [self::OLD], 'new name' => [self::NEW]];
    }

    public function testTheOldProvidersNameInTheApplicationsListDoesNoHarm(): void
    {
        $this->nameTheOldProvider();
        $this->app->serve();
        $listed = $this->app->artisan('route:list');
        self::assertStringContainsString('laravel-websockets', $listed->out . $listed->err);
    }

    public function testTheOldNamesAreThereWhereComposersClassMapHasTheLastWord(): void
    {
        $this->nameTheOldProvider();
        $this->app->write('config/websockets.php', "<?php return ['dashboard' => ['middleware' => ['web', "
            . "BeyondCode\\LaravelWebSockets\\Dashboard\\Http\\Middleware\\Authorize::class]]];");
        $dumped = $this->app->ownVendor()->start(['composer', 'dump-autoload', '-a', '--no-interaction'], [
            'COMPOSER_ALLOW_SUPERUSER' => '1',
        ])->wait();
        self::assertSame(0, $dumped->code, $dumped->text());
        self::assertSame(0, $this->app->artisan('websockets:config')->code);
        $web = new Web($this->app->web() . '/laravel-websockets');
        self::assertStringContainsString('csrf-token', $web->get(''));
        self::assertSame(200, $web->status);
        foreach (['Models', 'Statistics\\Models'] as $namespace) {
            $name = "BeyondCode\\LaravelWebSockets\\{$namespace}\\WebSocketsStatisticsEntry";
            $model = $this->app->start([PHP_BINARY, '-r', 'require "vendor/autoload.php"; echo get_parent_class("'
                . addslashes($name) . '");'])->wait();
            self::assertSame('Illuminate\\Database\\Eloquent\\Model', $model->out, $model->text());
        }
    }

    public function testRoutesOfTheOldServerAreIgnoredAndTheLogSaysSoOnce(): void
    {
        $this->app->write('routes/web.php', <<<'PHP'
            <?php
            use BeyondCode\LaravelWebSockets\Facades\WebSocketRouter;
            use BeyondCode\LaravelWebSockets\Facades\WebSocketsRouter;

            WebSocketsRouter::webSocket('/my-websocket', App\MyCustomWebSocketHandler::class);
            WebSocketRouter::webSocket('/of-version-2', App\MyCustomWebSocketHandler::class);
            \WebSocketsRouter::get('/by-alias', App\MyCustomWebSocketHandler::class);
            \WebSocketRouter::webSocket('/by-another', App\MyCustomWebSocketHandler::class);
            WebSocketsRouter::echo();
            Illuminate\Support\Facades\Route::get('/', function () {
                return 'still here';
            });
            PHP);
        $listed = $this->app->artisan('route:list');
        self::assertSame(0, $listed->code, $listed->text());
        $web = new Web($this->app->web());
        self::assertSame('still here', $web->get('/'));
        self::assertSame(0, $this->app->artisan('websockets:config')->code);
        $log = (string) file_get_contents("{$this->app->path}/storage/logs/laravel.log");
        foreach (['/my-websocket', '/of-version-2', '/by-alias', '/by-another'] as $path) {
            self::assertSame(1, substr_count($log, $path), $log);
        }
        self::assertSame(4, substr_count($log, 'does not run custom handlers'), $log);
    }

    public function testComposerIsContentWhereTheOldPackageIsAskedFor(): void
    {
        $asked = $this->app->start([PHP_BINARY, '-r', 'require "vendor/autoload.php";'
            . 'echo json_encode(Composer\InstalledVersions::isInstalled("beyondcode/laravel-websockets"));'])->wait();
        self::assertSame('true', $asked->out, $asked->text());
    }

    public function testOldStatisticsAreDeletedAndNewOnesAreKept(): void
    {
        $this->migrate();
        foreach ([['shop', '90', '1'], ['shop', '10', '2'], ['other', '90', '3'], ['other', '1', '4']] as $line) {
            $this->app->artisan('app:statistics', ...$line);
        }
        $clean = $this->app->artisan('websockets:clean', 'shop');
        self::assertSame(0, $clean->code, $clean->text());
        self::assertStringContainsString('Deleted 1 record', $clean->out);
        self::assertSame([2, 3, 4], $this->peaks());
        $this->app->artisan('websockets:clean');
        self::assertSame([2, 4], $this->peaks());
        $this->app->artisan('websockets:clean', '--days=5');
        self::assertSame([4], $this->peaks());
        self::assertSame(64, $this->app->artisan('websockets:clean', '--days=many')->code);
        $this->app->artisan('websockets:clean', '--days=0');
        self::assertSame([], $this->peaks());
    }

    public function testATableOfVersion1GetsTheColumnsOfVersion2AndKeepsItsLines(): void
    {
        $this->app->write(self::TABLE_OF_VERSION_1, <<<'PHP'
            <?php
            use Illuminate\Database\Migrations\Migration;
            use Illuminate\Database\Schema\Blueprint;
            use Illuminate\Support\Facades\Schema;

            class CreateWebSocketsStatisticsEntriesTable extends Migration
            {
                public function up()
                {
                    Schema::create('websockets_statistics_entries', function (Blueprint $table) {
                        $table->increments('id');
                        $table->string('app_id');
                        $table->integer('peak_connection_count');
                        $table->integer('websocket_message_count');
                        $table->integer('api_message_count');
                        $table->nullableTimestamps();
                    });
                }

                public function down()
                {
                    Schema::dropIfExists('websockets_statistics_entries');
                }
            }
            PHP);
        self::assertSame(0, $this->app->artisan('migrate', '--force')->code);
        $this->app->artisan('app:line-of-version-1', '7', '8', '9');
        $said = $this->statistics();
        self::assertSame('ok', $said['level']);
        self::assertStringContainsString('1.x', $said['text']);
        $this->migrate();
        $row = json_decode($this->app->artisan('app:rows')->out, true)[0];
        self::assertSame([7, 8, 9], [(int) $row['peak_connections_count'], (int) $row['websocket_messages_count'],
            (int) $row['api_messages_count']]);
        self::assertArrayNotHasKey('peak_connection_count', $row);
        $said = $this->statistics();
        self::assertSame('ok', $said['level']);
        self::assertStringNotContainsString('1.x', $said['text']);
        $again = $this->app->artisan('migrate:refresh', '--force');
        self::assertSame(0, $again->code, $again->text());
        self::assertSame('ok', $this->statistics()['level']);
    }

    public function testCleaningWithoutATableSaysWhatToDo(): void
    {
        $clean = $this->app->artisan('websockets:clean');
        self::assertSame(1, $clean->code);
        self::assertStringContainsString('--tag=migrations', $clean->text());
    }

    private function nameTheOldProvider(): void
    {
        $file = Application::major() < 11 ? 'config/app.php' : 'bootstrap/providers.php';
        $text = (string) file_get_contents("{$this->app->path}/{$file}");
        $text = Application::major() < 11
            ? str_replace("'providers' => [", "'providers' => [" . self::OLD . '::class,', $text)
            : '<?php return [' . self::OLD . '::class];';
        $this->app->write($file, $text);
    }

    /**
     * What the doctor says of the table.
     *
     * @return array<string, string>
     */
    private function statistics(): array
    {
        $findings = json_decode($this->app->artisan('websockets:doctor', '--json')->out, true);

        return array_values(array_filter((array) $findings, static function (array $finding) {
            return $finding['subject'] === 'Statistics';
        }))[0];
    }

    private function migrate(): void
    {
        $this->app->artisan('vendor:publish', '--provider=' . self::NEW, '--tag=migrations');
        $migrated = $this->app->artisan('migrate', '--force');
        self::assertSame(0, $migrated->code, $migrated->text());
    }

    /**
     * @return int[]
     */
    private function peaks(): array
    {
        return array_map('intval', array_column(
            json_decode($this->app->artisan('app:rows')->out, true),
            'peak_connections_count'
        ));
    }
}
