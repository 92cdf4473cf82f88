@extends('layout')

@section('title', 'Notifications')

@section('content')
    <div class="heading">
        <h1>Notifications</h1>
        <p>A private channel for each person. Only the one you send to gets it, on every page that is open.</p>
    </div>

    <div class="columns">
        <form id="send" class="card">
            <h2>Send</h2>
            <label>
                Text
                <input name="text" value="您有一筆新訂單!" maxlength="200" required autocomplete="off">
            </label>
            <fieldset>
                <legend>to</legend>
                @foreach ($users as $user)
                    <button class="person" name="user_id" value="{{ $user->id }}" data-name="{{ $user->name }}">
                        <span class="avatar" style="--color: {{ $user->color }}">{{ $user->initials }}</span>
                        {{ $user->is(auth()->user()) ? 'You' : $user->name }}
                    </button>
                @endforeach
            </fieldset>
            <p id="sent" class="hint" role="status"></p>
        </form>

        <section class="card">
            <h2>Received</h2>
            <ol id="notifications" class="rows"></ol>
            <p id="no-notifications" class="empty">Nothing yet.</p>
        </section>
    </div>

    <template id="notification">
        <li class="new">
            @include('icons.bell')
            <strong data-field="text"></strong>
            <span data-field="sender"></span>
            <time data-field="time"></time>
        </li>
    </template>

    @include('path', ['steps' => [
        'NotificationController@store' => 'dispatches',
        'NewNotificationEvent' => 'waits in the queue for the worker',
        'private-notifications.'.auth()->id() => 'is authorised in routes/channels.php',
        ".listen('.new.notification')" => 'in notifications.js shows it',
    ]])
@endsection
