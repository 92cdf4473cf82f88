<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Console;

use Illuminate\Console\Command;
use Peal\LaravelWebSockets\Doctor;
use Peal\LaravelWebSockets\Doctor\Check;
use Peal\LaravelWebSockets\Doctor\Finding;

/**
 * Follows the way of an event, from the queue to the page, and says at each station what is wrong and
 * which line to change.
 */
class DoctorCommand extends Command
{
    private const CHECKS = [
        Doctor\BroadcastCheck::class,
        Doctor\QueueCheck::class,
        Doctor\KeysCheck::class,
        Doctor\ServerCheck::class,
        Doctor\PublishCheck::class,
        Doctor\BrowserCheck::class,
        Doctor\StatisticsCheck::class,
    ];

    protected $signature = 'websockets:doctor {--json : For programs}';

    protected $description = 'Find out why events do not arrive';

    public function handle(): int
    {
        $problems = 0;
        $found = [];
        foreach (self::CHECKS as $class) {
            $check = $this->laravel->make($class);
            foreach ($check->findings() as $finding) {
                $problems += $finding->level() === Finding::PROBLEM ? 1 : 0;
                $found[] = ['subject' => $check->subject()] + $finding->toArray();
                $this->show($check, $finding);
            }
        }
        if ($this->option('json')) {
            $this->line((string) json_encode($found, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE));
        } else {
            $this->line('');
            $this->line($problems === 0 ? 'No problem found.' : 'Problems: ' . $problems);
        }

        return $problems === 0 ? 0 : 1;
    }

    private function show(Check $check, Finding $finding): void
    {
        if ($this->option('json')) {
            return;
        }
        $styles = [Finding::GOOD => 'info', Finding::NOTE => 'comment', Finding::PROBLEM => 'error'];
        $this->output->writeln(sprintf(
            '<%1$s>%2$-7s</%1$s> %3$-12s %4$s',
            $styles[$finding->level()],
            $finding->level(),
            $check->subject(),
            $this->escaped($finding->text())
        ));
        if ($finding->fix() !== '') {
            $this->output->writeln(preg_replace('/^/m', '            -> ', $this->escaped($finding->fix())));
        }
    }

    private function escaped(string $text): string
    {
        return \Symfony\Component\Console\Formatter\OutputFormatter::escape($text);
    }
}
