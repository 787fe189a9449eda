/** Tells the parts of a page that wait for the platform when to try again. */
export interface Retries {
  /** Calls back once, at the next try; the answer takes the wish back. */
  readonly wait: (onTry: () => void) => () => void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
// A failure after so long a quiet is a new outage, which may be over soon.
const FORGET_MS = 2 * LONGEST_WAIT_MS;

/**
 * One rhythm for a whole page: the waits double up to a bound, with jitter, however many parts of
 * the page wait; at once when the device is online again.
 */
export function openRetries(): Retries {
  const waiting = new Set<() => void>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tries = 0;
  let triedAt = Number.NEGATIVE_INFINITY;

  const stop = () => {
    clearTimeout(timer);
    timer = undefined;
    window.removeEventListener('online', tryNow);
  };
  function tryNow() {
    stop();
    tries += 1;
    triedAt = Date.now();
    const called = [...waiting];
    waiting.clear();
    for (const onTry of called) onTry();
  }
  const start = () => {
    if (Date.now() - triedAt > FORGET_MS) tries = 0;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** tries, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
    timer = setTimeout(tryNow, wait);
    window.addEventListener('online', tryNow);
  };
  return {
    wait: (onTry) => {
      waiting.add(onTry);
      if (timer === undefined) start();
      return () => {
        waiting.delete(onTry);
        if (waiting.size === 0) stop();
      };
    },
  };
}
