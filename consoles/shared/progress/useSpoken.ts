import { useEffect, useRef, useState } from 'react';

const QUIET_MS = 5000;

/**
 * A text for a screen reader that changes at most every few seconds, so that live figures do not
 * talk without end; an urgent text, such as the end, is said at once.
 */
export function useSpoken(text: string, urgent: boolean): string {
  const [spoken, setSpoken] = useState('');
  const saidAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const say = () => {
      saidAt.current = performance.now();
      setSpoken(text);
    };
    const wait = urgent ? 0 : Math.max(0, saidAt.current + QUIET_MS - performance.now());
    const timer = setTimeout(say, wait);
    return () => clearTimeout(timer);
  }, [text, urgent]);
  return spoken;
}
