@extends('layout')

@section('title', 'Dashboard')

@section('content')
    <div class="heading">
        <h1>Dashboard</h1>
        <p>A public channel: everybody who looks sees the same figures, and nobody reloads.</p>
    </div>

    <div id="dashboard" class="dashboard">
        <dl class="card figures">
            <div><dt>Revenue</dt><dd id="revenue">–</dd></div>
            <div><dt>Completed</dt><dd id="completed">–</dd></div>
            <div><dt>Open</dt><dd id="open">–</dd></div>
        </dl>

        <section class="card">
            <h2>Next orders</h2>
            <ul id="orders" class="rows"></ul>
            <p id="no-orders" class="empty" hidden>All done.</p>
            <p id="failed" class="hint" role="alert"></p>
            @auth
                <div class="choices">
                    <fieldset class="switch">
                        <legend>Broadcast</legend>
                        <label><input type="radio" name="way" value="now" checked> <span>at once</span></label>
                        <label><input type="radio" name="way" value="queued"> <span>queued</span></label>
                    </fieldset>
                    <button id="new-order" class="quiet">New order</button>
                </div>
            @else
                <p class="hint"><a href="/login">Log in</a> to complete orders.</p>
            @endauth
        </section>

        <section class="card">
            <h2>Revenue by product</h2>
            <ul id="products" class="bars"></ul>
        </section>
    </div>

    <template id="order">
        <li>
            <span class="number" data-field="number"></span>
            <strong data-field="product"></strong>
            <span data-field="customer"></span>
            <span class="price" data-field="price"></span>
            @auth <button class="quiet">Complete</button> @endauth
        </li>
    </template>
    <template id="product">
        <li><span data-field="name"></span> <span class="amount"></span></li>
    </template>

    @include('path', ['steps' => [
        'DashboardUpdateNow' => 'is sent within the request (ShouldBroadcastNow)',
        'DashboardUpdate' => 'by the queue worker (ShouldBroadcast)',
        'dashboard-updates' => 'is public: no entry in routes/channels.php',
        ".listen('DashboardUpdate')" => 'in dashboard.js shows the totals',
    ]])
@endsection
