// SPDX-License-Identifier: MIT
//
// The apps of the server, and the one that is looked at ('' for all), which the browser remembers.
import { computed, ref, watch } from 'vue';
import { api } from './api.js';

const REMEMBERED = 'peal.app';

export const apps = ref([]);
export const failure = ref('');
export const chosen = ref(localStorage.getItem(REMEMBERED) ?? '');
// For what needs one app: the chosen one, or the first.
export const oneApp = computed(() => chosen.value || (apps.value[0]?.id ?? ''));
// Nobody chose that one, and there are others.
export const isFirstOfSeveral = computed(() => !chosen.value && apps.value.length > 1);

watch(chosen, (id) => localStorage.setItem(REMEMBERED, id));

export async function loadApps() {
  try {
    apps.value = await api.apps();
    failure.value = '';
    if (!apps.value.some((app) => app.id === chosen.value)) chosen.value = '';
  } catch (error) {
    failure.value = error.message;
  }
}
