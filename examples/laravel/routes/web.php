<?php

use App\Http\Controllers\ChatController;
use App\Http\Controllers\DashboardController;
use App\Http\Controllers\LoginController;
use App\Http\Controllers\NotificationController;
use Illuminate\Support\Facades\Route;

Route::redirect('/', '/notifications');

Route::get('/login', [LoginController::class, 'index'])->name('login');
Route::post('/login/{user}', [LoginController::class, 'store']);
Route::post('/logout', [LoginController::class, 'destroy']);

// Guests may look, and need no signature either: the channel is public.
Route::get('/dashboard', [DashboardController::class, 'index']);

Route::middleware('auth')->group(function () {
    Route::get('/notifications', [NotificationController::class, 'index']);
    Route::post('/notifications', [NotificationController::class, 'store']);

    Route::redirect('/chat', '/chat/1');
    Route::get('/chat/{chatRoom}', [ChatController::class, 'show']);
    Route::get('/chat/{chatRoom}/messages', [ChatController::class, 'index']);
    Route::post('/chat/{chatRoom}/messages', [ChatController::class, 'store']);

    Route::post('/orders', [DashboardController::class, 'store']);
    Route::post('/orders/{order}/complete', [DashboardController::class, 'complete']);
});
