// SPDX-License-Identifier: MIT
//
// The page must work under any path and without a request to anywhere else, so all URLs are relative
// and nothing is inlined that a strict Content-Security-Policy forbids. `npm run dev` passes what the
// server answers on to a running one.
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

const SERVER = process.env.PEAL_ADMIN ?? 'http://127.0.0.1:9601';

export default defineConfig({
  base: './',
  plugins: [vue()],
  build: {
    outDir: process.env.PEAL_DASHBOARD_OUT ?? 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: false,
    target: 'es2020',
    rollupOptions: {
      input: ['index.html', 'login.html'],
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
      },
    },
  },
  server: {
    proxy: {
      '/admin': SERVER,
      '/app': { target: SERVER, ws: true },
    },
  },
});
