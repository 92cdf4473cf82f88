<?php

// SPDX-License-Identifier: MIT

return [
    'defaults' => ['guard' => 'header', 'passwords' => 'users'],
    'guards' => ['header' => ['driver' => 'header']],
    'providers' => [],
    'passwords' => [],
];
