<?php

// SPDX-License-Identifier: MIT

namespace Peal\LaravelWebSockets\Dashboard;

use Illuminate\Database\QueryException;
use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Peal\LaravelWebSockets\Http\ApiClient;
use Peal\LaravelWebSockets\Models\StatisticsEntry;
use Peal\LaravelWebSockets\Server\Status;
use Peal\LaravelWebSockets\Settings\Addresses;
use Peal\LaravelWebSockets\Settings\AppSettings;
use Peal\LaravelWebSockets\Settings\WebSocketsConfig;

/**
 * What the dashboard asks. All of it behind the gate; secrets stay here.
 */
class ApiController
{
    /** Lines of statistics in a chart, as laravel-websockets had. */
    private const LINES = 120;

    /** @var WebSocketsConfig */
    private $config;

    /** @var Addresses */
    private $addresses;

    public function __construct(WebSocketsConfig $config, Addresses $addresses)
    {
        $this->config = $config;
        $this->addresses = $addresses;
    }

    public function status(Status $status): JsonResponse
    {
        return response()->json(['servers' => $status->servers(), 'apps' => $status->apps()]);
    }

    public function channels(string $appId): JsonResponse
    {
        $answer = $this->api($this->app($appId))->get('/channels');
        if (! $answer->ok()) {
            return response()->json(['error' => $answer->why()], 502);
        }
        $channels = [];
        foreach ((array) ($answer->json()['channels'] ?? []) as $name => $values) {
            $channels[] = ['name' => (string) $name] + (array) $values;
        }

        return response()->json(['channels' => $channels]);
    }

    public function statistics(string $appId): JsonResponse
    {
        try {
            $lines = StatisticsEntry::query()->where('app_id', $appId)->latest('id')->limit(self::LINES)->get();
        } catch (QueryException $error) {
            $lines = collect();
        }
        $lines = $lines->reverse()->values();
        $times = $lines->map(static function (StatisticsEntry $line) {
            return (string) $line->getAttribute('created_at');
        })->all();
        $chart = static function (string $column, string $before) use ($lines, $times): array {
            return ['x' => $times, 'y' => $lines->map(static function (StatisticsEntry $line) use ($column, $before) {
                return (int) ($line->getAttribute($column) ?? $line->getAttribute($before));
            })->all()];
        };

        return response()->json([
            'peak_connections' => $chart('peak_connections_count', 'peak_connection_count'),
            'websocket_messages_count' => $chart('websocket_messages_count', 'websocket_message_count'),
            'api_messages_count' => $chart('api_messages_count', 'api_message_count'),
        ]);
    }

    /**
     * The event creator.
     */
    public function event(Request $request): JsonResponse
    {
        $event = $request->validate([
            'appId' => 'required|string',
            'channel' => 'required|string|max:200',
            'event' => 'required|string|max:200',
            'data' => 'required|json',
        ]);
        $answer = $this->api($this->app($event['appId']))->post('/events', [
            'name' => $event['event'],
            'channels' => [$event['channel']],
            'data' => $event['data'],
        ]);

        return $answer->ok()
            ? response()->json(['ok' => true])
            : response()->json(['ok' => false, 'error' => $answer->why()], 422);
    }

    /**
     * Lets the dashboard's own connection into private and presence channels.
     */
    public function auth(Request $request): JsonResponse
    {
        $app = $this->app((string) ($request->header('X-App-ID') ?? $request->input('appId')));
        $asked = $request->validate([
            'socket_id' => ['required', 'regex:/^\d{1,20}\.\d{1,20}$/'],
            'channel_name' => [
                'required',
                'regex:/^(private|presence)-[^:\s]{1,200}$/',
                // Of these the server has no key.
                'not_regex:/^private-encrypted-/',
            ],
        ]);
        $signed = "{$asked['socket_id']}:{$asked['channel_name']}";
        $answer = [];
        if (strncmp($asked['channel_name'], 'presence-', 9) === 0) {
            $answer['channel_data'] = (string) json_encode([
                'user_id' => 'dashboard',
                'user_info' => ['name' => 'Dashboard'],
            ]);
            $signed .= ":{$answer['channel_data']}";
        }
        $answer['auth'] = $app->key() . ':' . hash_hmac('sha256', $signed, $app->secret());

        return response()->json($answer);
    }

    private function app(string $id): AppSettings
    {
        $app = $this->config->app($id);
        abort_if($app === null, 404, "There is no app {$id}.");

        return $app;
    }

    private function api(AppSettings $app): ApiClient
    {
        return new ApiClient($this->addresses->api($app), $app);
    }
}
