<?php

namespace App\Http\Controllers;

use App\Events\NewNotificationEvent;
use App\Models\User;
use Illuminate\Http\Request;

class NotificationController
{
    public function index(Request $request)
    {
        if (! $request->expectsJson()) {
            return view('notifications', ['users' => User::all()]);
        }

        return $request->user()->notifications()->with('sender')->latest('id')->limit(30)->get();
    }

    public function store(Request $request)
    {
        $request->validate(['user_id' => 'required|exists:users,id', 'text' => 'required|string|max:200']);

        $notification = User::find($request->user_id)->notifications()->create([
            'sender_id' => $request->user()->id,
            'text' => $request->text,
        ]);

        NewNotificationEvent::dispatch($notification->load('sender'));

        return response()->noContent(202);
    }
}
