import { useEffect, useEffectEvent } from 'react';

import type { Failure } from './errors';
import { openRetries } from './retries';

const page = openRetries();

// What passes by itself, and costs the platform nothing to be asked again.
const PASSING = new Set(['UNREACHABLE', 'SERVICE_UNAVAILABLE']);

export function passes(failure: Failure | null): boolean {
  return failure !== null && PASSING.has(failure.code);
}

/** Tries again by itself, at the page's bounded rate, for as long as it is wanted. */
export function useSelfRetry(wanted: boolean, again: () => void) {
  const tryAgain = useEffectEvent(again);
  useEffect(() => {
    if (!wanted) return undefined;
    let stop = () => {};
    const waitOn = () => {
      stop = page.wait(() => {
        // First, so that a try that ends the wish finds it and takes it back.
        waitOn();
        tryAgain();
      });
    };
    waitOn();
    return () => stop();
  }, [wanted]);
}
