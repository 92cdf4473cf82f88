<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Doctor;

use Illuminate\Contracts\Config\Repository;
use Peal\LaravelWebSockets\Http\Address;
use Peal\LaravelWebSockets\Http\SocketProbe;
use Peal\LaravelWebSockets\Server\AdminClient;
use Peal\LaravelWebSockets\Settings\Addresses;
use Peal\LaravelWebSockets\Settings\AppSettings;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * The address where browsers connect, proxies in between included: connects there as a page would.
 */
final class BrowserCheck implements Check
{
    /** @var Repository */
    private $repository;

    /** @var WebSocketsConfig */
    private $config;

    /** @var Addresses */
    private $addresses;

    public function __construct(Repository $repository, WebSocketsConfig $config, Addresses $addresses)
    {
        $this->repository = $repository;
        $this->config = $config;
        $this->addresses = $addresses;
    }

    public function subject(): string
    {
        return 'Browsers';
    }

    public function findings(): iterable
    {
        $app = $this->config->app((string) ($this->config->broadcastConnection()['app_id'] ?? ''));
        $address = $this->addresses->browser();
        $prefix = $this->addresses->browserPrefix();
        if ($app === null) {
            return;
        }
        if ($address === null) {
            yield Finding::note(
                '.env does not say where pages connect, so this was not tried.',
                "{$prefix}HOST, {$prefix}PORT and {$prefix}SCHEME in .env, for wsHost, wsPort (and wssPort) "
                    . 'and forceTLS of Echo'
            );

            return;
        }
        yield from $this->mixedContent($address);
        $probe = new SocketProbe($address);
        $probe->connect($app->key(), $this->origin());
        yield $this->verdict($address, $probe, $app);
        yield from $this->proxy($address, $probe, $app);
        $probe->close();
    }

    private function origin(): string
    {
        $url = parse_url((string) $this->repository->get('app.url', 'http://localhost'));
        $port = isset($url['port']) ? ":{$url['port']}" : '';

        return ($url['scheme'] ?? 'http') . '://' . ($url['host'] ?? 'localhost') . $port;
    }

    /**
     * @return iterable<Finding>
     */
    private function mixedContent(Address $address): iterable
    {
        if (strncmp($this->origin(), 'https:', 6) === 0 && ! $address->tls() && ! $address->isLoopback()) {
            $prefix = $this->addresses->browserPrefix();
            yield Finding::problem(
                'The pages come over https, and from those browsers allow no connection without TLS.',
                "{$prefix}SCHEME=https and {$prefix}PORT=443     in .env, and nginx in front: docs/guide/nginx.md"
            );
        }
    }

    private function verdict(Address $address, SocketProbe $probe, AppSettings $app): Finding
    {
        $url = ($address->tls() ? 'wss' : 'ws') . "://{$address->authority()}";
        if ($probe->event() === 'pusher:connection_established') {
            return Finding::good("{$url} lets a page of {$this->origin()} in");
        }
        if ($probe->event() === 'pusher:error') {
            $data = $probe->data();
            $code = (int) ($data['code'] ?? 0);

            return Finding::problem("{$url}: {$code} " . ($data['message'] ?? ''), $this->fixOf($code, $app));
        }
        if ($probe->status() === 0) {
            return Finding::problem("{$url}: {$probe->error()}", $this->unreachable($address));
        }

        return Finding::problem(
            trim("{$url}: it answers with status {$probe->status()}, not 101. {$probe->body()}"),
            'The proxy in front must pass /app on, with Upgrade: packaging/nginx, docs/guide/nginx.md'
        );
    }

    private function fixOf(int $code, AppSettings $app): string
    {
        if ($code === 4009) {
            return "allowed_origins of the app \"{$app->id()}\" in config/websockets.php, or APP_URL in .env";
        }
        if ($code === 4001) {
            return 'php artisan websockets:restart, if the key has changed since the server was started';
        }

        return 'docs/guide/protocol.md says what the code means';
    }

    private function unreachable(Address $address): string
    {
        $local = $this->addresses->local();
        $prefix = $this->addresses->browserPrefix();
        if ($address->tls() && $address->port() === $local->port()) {
            return "{$prefix}SCHEME=http     in .env: this port speaks no TLS; or nginx in front";
        }

        return "{$prefix}HOST, {$prefix}PORT in .env; a firewall; nginx in front: docs/guide/nginx.md";
    }

    /**
     * A connection that came by a proxy must look as if it came from us.
     *
     * @return iterable<Finding>
     */
    private function proxy(Address $address, SocketProbe $probe, AppSettings $app): iterable
    {
        $local = $this->addresses->local();
        $direct = $address->port() === $local->port() && ! $address->tls();
        if ($direct || $address->isLoopback() || $probe->event() !== 'pusher:connection_established') {
            return;
        }
        $admin = new AdminClient($this->addresses->admin());
        $peer = $admin->peerOf($app->id(), (string) ($probe->data()['socket_id'] ?? ''));
        if ($peer !== null && preg_match('/^(127\.|\[?::1)/', $peer)) {
            yield Finding::note(
                'The proxy does not say where connections come from, so the log has its own address.',
                'proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;     in nginx, beside proxy_pass; '
                    . 'a proxy on another machine must stand in trusted_proxies, below peal.options of '
                    . 'config/websockets.php'
            );
        }
    }
}
