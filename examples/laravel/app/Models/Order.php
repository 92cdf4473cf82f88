<?php

namespace App\Models;

use Illuminate\Database\Eloquent\Model;

class Order extends Model
{
    private const PRODUCTS = ['Oolong tea' => 1800, 'Teapot' => 4200, 'Tea tray' => 3550, 'Cups, set of four' => 2640];

    private const CUSTOMERS = ['王小明', 'Nora Lind', 'Tomás Ruiz', '林美玲', 'Priya Nair', 'Jonas Weber'];

    protected $fillable = ['product', 'customer', 'cents', 'completed_at'];

    protected $visible = ['id', 'product', 'customer', 'cents'];

    protected $dates = ['completed_at'];

    /**
     * Somebody orders something.
     */
    public static function place(array $attributes = []): self
    {
        $product = array_rand(self::PRODUCTS);

        return self::create($attributes + [
            'product' => $product,
            'customer' => self::CUSTOMERS[array_rand(self::CUSTOMERS)],
            'cents' => self::PRODUCTS[$product],
        ]);
    }

    /**
     * All that the dashboard shows.
     */
    public static function totals(): array
    {
        $completed = self::whereNotNull('completed_at');
        $open = self::whereNull('completed_at');

        return [
            'revenue' => (int) $completed->sum('cents'),
            'completed' => $completed->count(),
            'open' => $open->count(),
            'next' => $open->oldest('id')->limit(6)->get(),
            'products' => $completed->groupBy('product')->orderBy('product')
                ->selectRaw('product as name, sum(cents) as cents')->toBase()->get(),
        ];
    }
}
