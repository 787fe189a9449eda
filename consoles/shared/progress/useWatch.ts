import { useEffect, useState } from 'react';

import type { Counts, Progress } from './progress';
import { useRecent } from './useRecent';

/** The broadcast that is watched, and how it is split at first. */
export interface Watch {
  readonly id: string;
  readonly splitLevel: string | null;
}

/** The latest figures of the watched broadcast as a whole. */
export interface Live {
  readonly id: string;
  readonly state: Progress['state'];
  readonly counts: Counts;
}

/** What is watched, what it says live, and the list it was picked from. */
export function useWatch() {
  const recent = useRecent();
  const [watch, setWatch] = useState<Watch | null>(null);
  const [live, setLive] = useState<Live | null>(null);
  const { refresh } = recent;
  const key = live === null ? null : `${live.id} ${live.state}`;
  // A new broadcast, its end and its reasons are told by the list only.
  useEffect(() => {
    if (key !== null) refresh();
  }, [key, refresh]);
  return { recent, watch, setWatch, live, onLive: setLive };
}

export type WatchControl = ReturnType<typeof useWatch>;
