<?php

// SPDX-License-Identifier: MIT
//
// The interface of symfony/clock that Carbon 3 implements, where the package cannot be had.

namespace Symfony\Component\Clock;

use Psr\Clock\ClockInterface as PsrClock;

if (interface_exists(PsrClock::class) && ! interface_exists(ClockInterface::class)) {
    interface ClockInterface extends PsrClock
    {
        public function sleep(float|int $seconds): void;

        public function withTimeZone(\DateTimeZone|string $timezone): static;
    }
}
