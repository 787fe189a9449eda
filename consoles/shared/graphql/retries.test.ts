import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { openRetries } from './retries';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Waits for a retry, fails at once, waits again: what a page does while the gateway is away. */
function failFor(milliseconds: number, retries = openRetries(), parts = 1) {
  const began = Date.now();
  const times: number[] = [];
  const wait = (part: number) => {
    retries.wait(() => {
      if (part === 0) times.push(Date.now() - began);
      wait(part);
    });
  };
  for (let part = 0; part < parts; part += 1) wait(part);
  vi.advanceTimersByTime(milliseconds);
  return times;
}

describe('retries', () => {
  it('come soon at first, then ever more slowly, but never stop', () => {
    const times = failFor(10 * 60_000);
    expect(times[0]).toBeLessThan(2000);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(30_000 * 1.25);
    expect(times.length).toBeLessThan(35);
    expect(times.length).toBeGreaterThan(15);
  });

  it('are no faster and no slower when several parts of the page wait', () => {
    expect(failFor(60_000, openRetries(), 5).length).toBeLessThan(10);
  });

  it('begin anew after the gateway was there for a while', () => {
    const retries = openRetries();
    const stop = retries.wait(() => undefined);
    vi.advanceTimersByTime(40_000);
    stop();
    vi.advanceTimersByTime(120_000);
    expect(failFor(10_000, retries)[0]).toBeLessThan(2000);
  });

  it('come at once when the device is online again', () => {
    const tried = vi.fn<() => void>();
    openRetries().wait(tried);
    window.dispatchEvent(new Event('online'));
    expect(tried).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(60_000);
    expect(tried).toHaveBeenCalledOnce();
  });

  it('do not come for what does not wait any more', () => {
    const tried = vi.fn<() => void>();
    const retries = openRetries();
    retries.wait(tried)();
    vi.advanceTimersByTime(60_000);
    expect(tried).not.toHaveBeenCalled();
  });
});
