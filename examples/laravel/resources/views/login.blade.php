@extends('layout')

@section('title', 'Log in')

@section('content')
    <div class="heading narrow">
        <h1>Who are you?</h1>
        <p>One click, no password. Open a private window, or another browser, to be two people at once.</p>
    </div>

    <ul class="users narrow">
        @foreach ($users as $user)
            <li>
                <form method="post" action="/login/{{ $user->id }}">
                    @csrf
                    <button class="card user">
                        <span class="avatar large" style="--color: {{ $user->color }}">{{ $user->initials }}</span>
                        <strong>{{ $user->name }}</strong>
                        <span>{{ $user->chatRooms->pluck('name')->join(', ') }}</span>
                    </button>
                </form>
            </li>
        @endforeach
    </ul>

    <p class="narrow aside">Or just look at the <a href="/dashboard">dashboard</a>: its channel is public.</p>
@endsection
