<?php

// SPDX-License-Identifier: MIT
//
// Functions of PHP 8.5 that newer versions of Laravel call and symfony/polyfill-php85 would bring.

if (! function_exists('array_first')) {
    function array_first(array $array)
    {
        foreach ($array as $value) {
            return $value;
        }

        return null;
    }
}

if (! function_exists('array_last')) {
    function array_last(array $array)
    {
        return $array === [] ? null : current(array_slice($array, -1));
    }
}
