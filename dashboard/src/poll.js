// SPDX-License-Identifier: MIT
//
// Asks again and again while a view is shown, and not while the page is hidden.
import { onMounted, onUnmounted, ref } from 'vue';

// Returns { value, problem, refresh }. `ask` is an async function.
export function usePoll(ask, ms) {
  const value = ref(null);
  const problem = ref('');
  let timer = null;
  let round = 0;
  let shown = true;

  async function refresh() {
    const mine = ++round;
    try {
      const found = await ask();
      if (mine !== round) return;
      value.value = found;
      problem.value = '';
    } catch (error) {
      if (mine === round) problem.value = error.message;
    }
  }

  async function tick() {
    if (!document.hidden) await refresh();
    if (shown) timer = setTimeout(tick, ms);
  }

  onMounted(tick);
  onUnmounted(() => {
    shown = false;
    clearTimeout(timer);
    round++;
  });
  return { value, problem, refresh };
}
