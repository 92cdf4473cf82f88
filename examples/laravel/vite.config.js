import { defineConfig } from 'vite';

// File names without a hash, so that the layout needs no manifest. Since Laravel 9 there is
// laravel-vite-plugin with @vite for this.
export default defineConfig({
    base: './',
    publicDir: false,
    build: {
        outDir: 'public/build',
        rollupOptions: {
            input: 'resources/js/app.js',
            output: { entryFileNames: '[name].js', assetFileNames: '[name][extname]' },
        },
    },
});
