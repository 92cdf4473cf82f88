<?php

namespace Database\Seeders;

use App\Models\ChatRoom;
use App\Models\Order;
use App\Models\User;
use Illuminate\Database\Seeder;

class DatabaseSeeder extends Seeder
{
    public function run()
    {
        $users = collect(['Mei Chen' => '#b4532a', 'Ben Okafor' => '#2f6f8f', 'Ada Lind' => '#5b7f3b', 'Gus Gray' => '#7a5c94'])
            ->map(fn ($color, $name) => User::forceCreate([
                'name' => $name,
                'email' => strtolower(strtok($name, ' ')).'@example.com',
                'color' => $color,
            ]))->values();

        // Gus is in no room but the first one.
        foreach (['Shop floor' => $users, 'Back office' => $users->take(3)] as $name => $members) {
            $room = ChatRoom::forceCreate(['name' => $name]);
            $members->each(fn (User $user) => $user->chatRooms()->attach($room));
        }

        ChatRoom::first()->messages()->create(['user_id' => $users[2]->id, 'text' => 'Good morning! 早安!']);

        foreach (range(1, 14) as $n) {
            Order::place($n <= 9 ? ['completed_at' => now()] : []);
        }
    }
}
