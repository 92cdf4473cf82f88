<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

/**
 * One subject that websockets:doctor looks at.
 */
interface Check
{
    public function subject(): string;

    /**
     * @return iterable<Finding>
     */
    public function findings(): iterable;
}
