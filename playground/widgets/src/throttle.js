// Lets a stream of calls through at a limited rate; the last one always arrives.

/**
 * @template T
 * @param {(value: T) => void} send
 * @param {number} everyMs at least so long between two sends
 * @param {AbortSignal} signal what is still held back when it aborts is dropped
 * @returns {(value: T) => void}
 */
export function throttle(send, everyMs, signal) {
  let last = -Infinity;
  /** @type {{ value: T, timer: ReturnType<typeof setTimeout> } | null} */
  let held = null;
  const release = (/** @type {T} */ value) => {
    last = performance.now();
    held = null;
    send(value);
  };
  signal.addEventListener('abort', () => held !== null && clearTimeout(held.timer), { once: true });
  return (value) => {
    if (signal.aborted) return;
    const wait = last + everyMs - performance.now();
    if (held !== null) held.value = value;
    else if (wait <= 0) release(value);
    else held = { value, timer: setTimeout(() => held !== null && release(held.value), wait) };
  };
}

/**
 * Paint once in the next frame, however often it is asked for.
 * @param {() => void} paint
 * @param {AbortSignal} signal a frame that is still to come when it aborts is dropped
 */
export function onceAFrame(paint, signal) {
  let pending = 0;
  signal.addEventListener('abort', () => cancelAnimationFrame(pending), { once: true });
  return () => {
    pending ||= requestAnimationFrame(() => {
      pending = 0;
      paint();
    });
  };
}
