// SPDX-License-Identifier: MIT
import { createApp } from 'vue';
import 'uplot/dist/uPlot.min.css';
import App from './App.vue';
import './style.css';

createApp(App).mount('#app');
