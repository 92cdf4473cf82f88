<?php

namespace App\Http\Controllers;

use App\Events\NewChatMessage;
use App\Models\ChatRoom;
use Illuminate\Http\Request;

class ChatController
{
    // Shown to everybody. Who may not join finds out from the channel: see error() in chat.js.
    public function show(ChatRoom $chatRoom)
    {
        return view('chat', ['room' => $chatRoom, 'rooms' => ChatRoom::all()]);
    }

    public function index(Request $request, ChatRoom $chatRoom)
    {
        abort_unless($request->user()->canJoinChatRoom($chatRoom->id), 403);

        return $chatRoom->messages()->with('user')->latest('id')->limit(50)->get()->reverse()->values();
    }

    public function store(Request $request, ChatRoom $chatRoom)
    {
        abort_unless($request->user()->canJoinChatRoom($chatRoom->id), 403);

        $request->validate(['text' => 'required|string|max:1000']);

        $message = $chatRoom->messages()->create([
            'user_id' => $request->user()->id,
            'text' => $request->text,
        ]);

        // The page that sends has the message from this answer; all others get the event.
        broadcast(new NewChatMessage($request->user(), $message))->toOthers();

        return response($message->load('user'), 201);
    }
}
