<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Http;

use Peal\LaravelWebSockets\Settings\AppSettings;

/**
 * Signed requests to the server's HTTP API.
 *
 * The SDK would do this, too; but its methods, their arguments and what they return differ from one
 * major version to the next, and of a refusal it keeps less than websockets:doctor wants to say.
 */
final class ApiClient
{
    /** @var Address */
    private $address;

    /** @var AppSettings */
    private $app;

    public function __construct(Address $address, AppSettings $app)
    {
        $this->address = $address;
        $this->app = $app;
    }

    /**
     * @param array<string, string> $query
     */
    public function get(string $path, array $query = [], ?int $time = null): Answer
    {
        return $this->request('GET', $path, $query, '', $time);
    }

    /**
     * @param array<string, mixed> $body
     */
    public function post(string $path, array $body): Answer
    {
        $text = json_encode($body, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);

        return $this->request('POST', $path, [], $text, null);
    }

    /**
     * @param array<string, string> $query
     */
    private function request(string $method, string $path, array $query, string $body, ?int $time): Answer
    {
        $path = "/apps/{$this->app->id()}{$path}";
        $query += [
            'auth_key' => $this->app->key(),
            'auth_timestamp' => (string) ($time ?? time()),
            'auth_version' => '1.0',
        ];
        if ($body !== '') {
            $query['body_md5'] = md5($body);
        }
        ksort($query);
        $pairs = [];
        foreach ($query as $name => $value) {
            $pairs[] = "{$name}={$value}";
        }
        $query['auth_signature'] = hash_hmac(
            'sha256',
            implode("\n", [$method, $path, implode('&', $pairs)]),
            $this->app->secret()
        );

        return self::send(
            $method,
            $this->address->url() . $this->address->prefix() . $this->escaped($path) . '?' . http_build_query($query),
            $body
        );
    }

    public static function send(string $method, string $url, string $body = ''): Answer
    {
        $curl = curl_init($url);
        curl_setopt_array($curl, [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_CONNECTTIMEOUT => 3,
            CURLOPT_TIMEOUT => 10,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
        ]);
        if ($body !== '') {
            curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
            curl_setopt($curl, CURLOPT_HTTPHEADER, ['Content-Type: application/json', 'Expect:']);
        }
        $answer = curl_exec($curl);

        return new Answer((int) curl_getinfo($curl, CURLINFO_RESPONSE_CODE), (string) $answer, curl_error($curl));
    }

    /**
     * The signature is of the path as it is; on the wire only what HTTP cannot carry is escaped.
     */
    private function escaped(string $path): string
    {
        return implode('/', array_map('rawurlencode', explode('/', $path)));
    }
}
