{{-- SPDX-License-Identifier: MIT --}}
<!DOCTYPE html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="robots" content="noindex">
    <meta name="csrf-token" content="{{ csrf_token() }}">
    <title>WebSockets – {{ config('app.name') }}</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="{{ $base }}/assets/dashboard.css">
</head>
<body>
<header>
    <h1>WebSockets</h1>
    <select id="app" aria-label="App"></select>
    <span id="server" class="pill">…</span>
    <span id="connection" class="pill">not connected</span>
</header>

<main>
    <section id="figures" aria-label="Figures"></section>

    <section class="card">
        <h2>Channels <small id="channel-count"></small></h2>
        <div class="scroll">
            <table>
                <thead><tr><th>Channel</th><th class="number">Subscribed</th><th></th></tr></thead>
                <tbody id="channels"></tbody>
            </table>
        </div>
        <form id="listen" class="row">
            <input name="channel" placeholder="channel, e.g. orders or private-user.1" aria-label="Channel" required>
            <button>Listen</button>
        </form>
        <p class="hint">To listen on a presence channel is to join it: its members see “Dashboard”.</p>
    </section>

    <section class="card">
        <h2>Event creator</h2>
        <form id="event">
            <label>Channel <input name="channel" required></label>
            <label>Event <input name="event" required></label>
            <label>Data (JSON) <textarea name="data" rows="4" required>{"hello": "world"}</textarea></label>
            <div class="row"><button>Send</button> <output id="event-result"></output></div>
        </form>
    </section>

    <section class="card wide">
        <h2>Events <small>of the channels that you listen on</small></h2>
        <ol id="log"></ol>
        <p id="log-empty" class="hint">Nothing yet. Listen on a channel, then cause an event.</p>
    </section>

    <section class="card wide" id="statistics" hidden>
        <h2>Statistics</h2>
        <div id="charts"></div>
    </section>

    <details class="card wide">
        <summary>Connection</summary>
        <form id="address" class="row">
            <label>Host <input name="host"></label>
            <label>Port <input name="port" inputmode="numeric"></label>
            <label class="check"><input type="checkbox" name="tls"> TLS</label>
            <button>Connect</button>
        </form>
        <p class="hint">Where this browser connects. The server may look different from elsewhere.</p>
    </details>
</main>

<script type="application/json" id="data">{!! json_encode($data, JSON_HEX_TAG | JSON_HEX_AMP | JSON_HEX_APOS) !!}</script>
<script src="{{ $base }}/assets/dashboard.js" defer></script>
</body>
</html>
