<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Dashboard;

use Illuminate\Contracts\View\View;
use Peal\LaravelWebSockets\Settings\Addresses;
use Peal\LaravelWebSockets\Settings\AppSettings;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;
use Symfony\Component\HttpFoundation\BinaryFileResponse;

/**
 * The dashboard's page and its files. Keys are in it, which pages of the application show to everybody
 * anyway; secrets are not: what needs a signature asks this application for it.
 */
class PageController
{
    private const FILES = [
        'dashboard.js' => 'text/javascript; charset=utf-8',
        'dashboard.css' => 'text/css; charset=utf-8',
    ];

    public function show(WebSocketsConfig $config, Addresses $addresses): View
    {
        $apps = array_map(static function (AppSettings $app) use ($addresses): array {
            $browser = $addresses->browser();

            return [
                'id' => $app->id(),
                'name' => $app->name(),
                'key' => $app->key(),
                'host' => $app->host() ?? ($browser === null ? null : $browser->host()),
                'port' => $browser === null ? $addresses->local()->port() : $browser->port(),
                'tls' => $browser !== null && $browser->tls(),
                'path' => $app->path(),
            ];
        }, $config->apps());

        return view('websockets::dashboard', [
            'base' => url($config->dashboardPath()),
            'data' => ['base' => url($config->dashboardPath()), 'apps' => array_values($apps)],
        ]);
    }

    public function file(string $file): BinaryFileResponse
    {
        abort_unless(isset(self::FILES[$file]), 404);

        return response()->file(
            dirname(__DIR__, 2) . "/resources/assets/{$file}",
            ['Content-Type' => self::FILES[$file], 'Cache-Control' => 'private, no-cache']
        );
    }
}
