@extends('layout')

@section('title', $room->name)

@section('content')
    <div class="heading">
        <h1>Chat</h1>
        <p>A presence channel: who is here, who is typing, and who may not come in.</p>
    </div>

    <div id="chat" class="chat card" data-room-id="{{ $room->id }}" data-user-name="{{ auth()->user()->name }}">
        <nav class="tabs" aria-label="Rooms">
            @foreach ($rooms as $one)
                <a href="/chat/{{ $one->id }}" @if ($one->is($room)) aria-current="page" @endif>{{ $one->name }}</a>
            @endforeach
        </nav>

        <aside>
            <p id="count" class="hint" role="status"></p>
            <ul id="people"></ul>
        </aside>

        <div class="talk">
            <ol id="messages"></ol>
            <p id="typing" class="hint" role="status"></p>
            <form id="message">
                <input name="text" placeholder="Write a message" maxlength="1000" autocomplete="off" aria-label="Message">
                <button class="primary">Send</button>
            </form>
        </div>

        <div id="refused" class="empty">@include('icons.lock') <p role="alert"></p></div>
    </div>

    <template id="chat-message">
        <li>
            <span class="avatar" data-field="initials"></span>
            <p><strong data-field="name"></strong> <time data-field="time"></time></p>
            <p class="bubble" data-field="text"></p>
        </li>
    </template>
    <template id="person">
        <li><span class="avatar" data-field="initials"></span> <span data-field="name"></span></li>
    </template>

    @include('path', ['steps' => [
        'canJoinChatRoom()' => 'in routes/channels.php lets you in',
        'NewChatMessage' => 'is broadcast toOthers(), not to the page that sends',
        'presence-chat.'.$room->id => 'tells here, joining and leaving',
        "whisper('typing')" => 'goes from page to page, past PHP',
    ]])
@endsection
