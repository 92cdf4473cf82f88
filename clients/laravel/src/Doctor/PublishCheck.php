<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Peal\LaravelWebSockets\Http\Address;
use Peal\LaravelWebSockets\Http\Answer;
use Peal\LaravelWebSockets\Http\ApiClient;
use Peal\LaravelWebSockets\Settings\Addresses;
use Peal\LaravelWebSockets\Settings\AppSettings;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * The address where this application publishes: asks there, as an event would, and compares clocks.
 */
final class PublishCheck implements Check
{
    /** Seconds that two clocks may differ before one says so; requests fail at ten minutes. */
    private const CLOCK = 30;

    /** @var WebSocketsConfig */
    private $config;

    /** @var Addresses */
    private $addresses;

    public function __construct(WebSocketsConfig $config, Addresses $addresses)
    {
        $this->config = $config;
        $this->addresses = $addresses;
    }

    public function subject(): string
    {
        return 'Publishing';
    }

    public function findings(): iterable
    {
        $connection = $this->config->broadcastConnection();
        $app = $this->config->app((string) ($connection['app_id'] ?? ''));
        $address = $app === null ? null : $this->addresses->publish($app);
        if ($address === null) {
            return;
        }
        if (preg_match('/\.pusher\.com$/', $address->host())) {
            yield Finding::problem(
                "Events go to {$address->host()}, not to your server.",
                "'host' => env('PUSHER_HOST', '127.0.0.1'), 'port' => env('PUSHER_PORT', 6001), 'scheme' => "
                    . "env('PUSHER_SCHEME', 'http'),     in options of the connection, config/broadcasting.php"
            );

            return;
        }
        $api = new ApiClient($address, $app);
        $answer = $api->get('/channels');
        if ($answer->ok()) {
            yield Finding::good("{$address->url()} accepts what this application signs");
            yield from $this->clock($api);
        } else {
            yield $this->failure($address, $answer, $app);
        }
    }

    private function failure(Address $address, Answer $answer, AppSettings $app): Finding
    {
        $text = "{$address->url()}: {$answer->why()}";
        if ($answer->status() === 401) {
            return Finding::problem($text, 'PUSHER_APP_KEY and PUSHER_APP_SECRET in .env, then '
                . 'php artisan config:clear and php artisan websockets:restart');
        }
        $local = $this->addresses->local();
        if ($answer->status() === 404 && $local->port() !== $address->port() && $address->isLoopback()) {
            return Finding::problem($text, "PUSHER_PORT={$local->port()}     in .env: the server of this "
                . 'application listens there. Where a proxy is in between: does it pass /apps on as well as /app?');
        }
        if ($answer->status() === 404) {
            return Finding::problem($text, "Is the app \"{$app->id()}\" known to the server that runs "
                . '(php artisan websockets:restart), and does a proxy in between pass /apps on as well as /app?');
        }
        if ($answer->status() !== 0) {
            return Finding::problem($text, 'PUSHER_HOST and PUSHER_PORT in .env: something else answers there');
        }
        if ($address->tls() && ! $local->tls() && $address->port() === $local->port()) {
            return Finding::problem($text, 'PUSHER_SCHEME=http     in .env: this port speaks no TLS');
        }

        return Finding::problem($text, "PUSHER_HOST={$local->host()} and PUSHER_PORT={$local->port()}     in .env: "
            . 'that is where the server of this application listens on this machine; and it must run');
    }

    /**
     * The server says how far a request's time is from its own clock when it is far away; so a request
     * of the year 1970 tells its time.
     *
     * @return iterable<Finding>
     */
    private function clock(ApiClient $api): iterable
    {
        $answer = $api->get('/channels', [], 1);
        if (! preg_match('/(\d+) s behind the server/', $answer->why(), $found)) {
            return;
        }
        $apart = 1 + (int) $found[1] - time();
        if (abs($apart) > self::CLOCK) {
            yield Finding::problem(
                sprintf('The server\'s clock is %d s %s ours.', abs($apart), $apart > 0 ? 'ahead of' : 'behind'),
                'Let both machines set their clocks: timedatectl set-ntp true'
            );
        }
    }
}
