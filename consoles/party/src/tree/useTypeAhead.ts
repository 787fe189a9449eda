import { useCallback, useRef } from 'react';

const FORGET_AFTER_MS = 700;

/** Collects letters typed in quick succession; a pause begins a new word. */
export function useTypeAhead(): (letter: string) => string {
  const memory = useRef({ letters: '', at: 0 });
  return useCallback((letter) => {
    const now = performance.now();
    const kept = now - memory.current.at < FORGET_AFTER_MS ? memory.current.letters : '';
    memory.current = { letters: kept + letter, at: now };
    return memory.current.letters;
  }, []);
}
