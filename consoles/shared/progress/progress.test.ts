import { describe, expect, it } from 'vitest';

import { arrivedOf, type Counts, newest, type Progress, underWayOf } from './progress';

const COUNTS: Counts = { total: 10, planned: 1, dispatched: 2, accepted: 3, delivered: 1, read: 1, skipped: 1, failed: 1 };

function look(change: Partial<Progress> = {}): Progress {
  return { broadcastId: 'b', state: 'RUNNING', version: '5', readAt: '2026-11-23T10:00:05Z', counts: COUNTS, byUnit: [], ...change };
}

describe('newest', () => {
  it('takes the first look, and every later one that differs', () => {
    const first = look();
    const second = look({ version: '6', readAt: '2026-11-23T10:00:06Z' });
    expect(newest(null, first)).toBe(first);
    expect(newest(first, second)).toBe(second);
  });

  it('never moves backwards when an older look comes late', () => {
    const shown = look();
    expect(newest(shown, look({ version: '4', readAt: '2026-11-23T10:00:04Z' }))).toBe(shown);
  });

  it('keeps the same object when nothing changed, so that nothing redraws', () => {
    const shown = look();
    expect(newest(shown, look({ readAt: '2026-11-23T10:00:09Z' }))).toBe(shown);
  });

  it('sees a new state of the same version', () => {
    const over = look({ state: 'COMPLETED', readAt: '2026-11-23T10:00:09Z' });
    expect(newest(look(), over)).toBe(over);
  });

  it('begins anew with another broadcast', () => {
    const other = look({ broadcastId: 'c', readAt: '2026-11-22T10:00:00Z' });
    expect(newest(look(), other)).toBe(other);
  });
});

describe('the figures', () => {
  it('add up to the total', () => {
    expect(arrivedOf(COUNTS)).toBe(2);
    expect(underWayOf(COUNTS)).toBe(6);
    expect(arrivedOf(COUNTS) + underWayOf(COUNTS) + COUNTS.skipped + COUNTS.failed).toBe(COUNTS.total);
  });
});
