<?php

namespace App\Http\Controllers;

use App\Models\User;
use Illuminate\Http\Request;
use Illuminate\Support\Facades\Auth;

/**
 * Whoever opens the page may be anybody: this is an example, not a way to log in.
 */
class LoginController
{
    public function index()
    {
        return view('login', ['users' => User::all()]);
    }

    public function store(Request $request, User $user)
    {
        Auth::login($user);

        $request->session()->regenerate();

        return redirect()->intended('/');
    }

    public function destroy(Request $request)
    {
        Auth::logout();

        $request->session()->invalidate();

        return redirect('/login');
    }
}
