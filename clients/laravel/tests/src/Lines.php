<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

use PHPUnit\Framework\AssertionFailedError;
use PHPUnit\Framework\Test;
use PHPUnit\Framework\TestCase;
use PHPUnit\Framework\TestSuite;
use PHPUnit\Framework\Warning;
use PHPUnit\TextUI\ResultPrinter;
use PHPUnit\Framework\TestResult;
use Throwable;

/**
 * One line for each test, as the other tests of the repository say it: "ok name" or "FAIL name".
 */
class Lines implements ResultPrinter
{
    /** @var array<string, Throwable> */
    private $troubles = [];

    /** @var array<string, string> */
    private $skipped = [];

    public function printResult(TestResult $result): void
    {
    }

    public function write(string $buffer): void
    {
        echo $buffer;
    }

    public function addError(Test $test, Throwable $t, float $time): void
    {
        $this->troubles[$this->nameOf($test)] = $t;
    }

    public function addWarning(Test $test, Warning $e, float $time): void
    {
        $this->troubles[$this->nameOf($test)] = $e;
    }

    public function addFailure(Test $test, AssertionFailedError $e, float $time): void
    {
        $this->troubles[$this->nameOf($test)] = $e;
    }

    public function addIncompleteTest(Test $test, Throwable $t, float $time): void
    {
        $this->troubles[$this->nameOf($test)] = $t;
    }

    public function addRiskyTest(Test $test, Throwable $t, float $time): void
    {
        $this->troubles[$this->nameOf($test)] = $t;
    }

    public function addSkippedTest(Test $test, Throwable $t, float $time): void
    {
        $this->skipped[$this->nameOf($test)] = $t->getMessage();
    }

    public function startTestSuite(TestSuite $suite): void
    {
    }

    public function endTestSuite(TestSuite $suite): void
    {
    }

    public function startTest(Test $test): void
    {
    }

    public function endTest(Test $test, float $time): void
    {
        $name = $this->nameOf($test);
        if (isset($this->skipped[$name])) {
            echo "skip {$name}: {$this->skipped[$name]}\n";
        } elseif (isset($this->troubles[$name])) {
            $trouble = $this->troubles[$name];
            echo "FAIL {$name}\n";
            echo preg_replace('/^/m', '    ', $trouble->getMessage() . "\n" . $trouble->getTraceAsString()), "\n";
        } else {
            printf("ok   %s [%d ms]\n", $name, $time * 1000);
        }
    }

    /**
     * The method's name as words: testServesTheApp becomes "serves the app".
     */
    private function nameOf(Test $test): string
    {
        $method = $test instanceof TestCase ? $test->getName() : get_class($test);
        [$method, $set] = explode(' with data set ', $method, 2) + [1 => ''];
        $words = preg_replace('/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/', ' ', substr($method, 4));

        return 'Laravel ' . basename((string) getenv('LARAVEL_APP')) . ': '
            . (new \ReflectionClass($test))->getShortName() . ' ' . strtolower(trim($words))
            . ($set === '' ? '' : ' (' . trim($set, '"') . ')');
    }
}
