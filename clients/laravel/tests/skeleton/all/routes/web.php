<?php

// SPDX-License-Identifier: MIT

use Illuminate\Support\Facades\Route;

Route::get('/', function () {
    return 'the application';
});
