@php($user = auth()->user())
@php($pusher = config('broadcasting.connections.pusher'))
<!doctype html>
<html lang="en">
<head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="csrf-token" content="{{ csrf_token() }}">
    <title>@yield('title') · Peal example</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/build/app.css">
    <script type="module" src="/build/app.js"></script>
</head>
<body
    data-user-id="{{ optional($user)->id }}"
    data-pusher-key="{{ $pusher['key'] }}"
    data-pusher-cluster="{{ $pusher['options']['cluster'] }}"
    data-pusher-port="{{ $pusher['options']['port'] }}"
    data-pusher-scheme="{{ $pusher['options']['scheme'] }}"
>
    <header class="bar">
        <a class="brand" href="/">@include('icons.bell') Peal</a>
        <nav>
            @foreach (['notifications' => 'bell', 'chat' => 'chat', 'dashboard' => 'chart'] as $page => $icon)
                <a href="/{{ $page }}" @if (request()->is($page.'*')) aria-current="page" @endif>
                    @include("icons.$icon") {{ ucfirst($page) }}
                </a>
            @endforeach
        </nav>
        <p id="status" class="status" data-state="connecting" role="status"><span>Connecting…</span></p>
        @if ($user)
            <form class="who" method="post" action="/logout">
                @csrf
                <span class="avatar" style="--color: {{ $user->color }}">{{ $user->initials }}</span>
                <span class="name">{{ $user->name }}</span>
                <button class="quiet">Log out</button>
            </form>
        @else
            <a class="button quiet" href="/login">Log in</a>
        @endif
    </header>

    <main>
        @yield('content')
    </main>

    <div id="toasts" role="status"></div>
    <template id="toast">
        <div class="toast">@include('icons.bell')<p><strong data-field="text"></strong><span data-field="sender"></span></p></div>
    </template>
</body>
</html>
