<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Tests;

/**
 * A browser as far as these tests need one: it keeps cookies and sends the page's token.
 */
final class Web
{
    /** @var string */
    private $base;

    /** @var resource|\CurlHandle */
    private $curl;

    /** @var string */
    private $token = '';

    /** @var string[] */
    private $headers;

    /** @var int */
    public $status = 0;

    /**
     * @param string[] $headers sent with each request
     */
    public function __construct(string $base, array $headers = [])
    {
        $this->base = $base;
        $this->headers = $headers;
        $this->curl = curl_init();
        curl_setopt($this->curl, CURLOPT_COOKIEFILE, '');
    }

    public function get(string $path): string
    {
        $body = $this->send($path, null);
        if (preg_match('/name="csrf-token" content="([^"]+)"/', $body, $found)) {
            $this->token = $found[1];
        }

        return $body;
    }

    /**
     * @return array<mixed>
     */
    public function json(string $path): array
    {
        return (array) json_decode($this->send($path, null), true);
    }

    /**
     * @param array<string, mixed> $body
     *
     * @return array<mixed>
     */
    public function post(string $path, array $body): array
    {
        return (array) json_decode($this->send($path, json_encode($body)), true);
    }

    private function send(string $path, ?string $body): string
    {
        curl_setopt_array($this->curl, [
            CURLOPT_URL => $this->base . $path,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 30,
            CURLOPT_HTTPGET => $body === null,
            CURLOPT_HTTPHEADER => array_merge($this->headers, $body === null ? ['Accept: text/html'] : [
                'Accept: application/json', 'Content-Type: application/json', "X-CSRF-TOKEN: {$this->token}",
            ]),
        ]);
        if ($body !== null) {
            curl_setopt($this->curl, CURLOPT_POST, true);
            curl_setopt($this->curl, CURLOPT_POSTFIELDS, $body);
        }
        $answer = (string) curl_exec($this->curl);
        $this->status = (int) curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);

        return $answer;
    }
}
