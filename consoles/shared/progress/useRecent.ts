import { useCallback, useEffect } from 'react';
import { useQuery } from 'urql';

import { BroadcastsQuery, RECENT } from './broadcasts';
import { isOver } from './progress';

// The watched broadcast is live; the others of the list are looked at anew while any of them runs.
const REFRESH_MS = 10_000;

/** The list of recent broadcasts, kept fresh while any of them runs. */
export function useRecent() {
  const [{ data, error, fetching }, again] = useQuery({
    query: BroadcastsQuery,
    variables: { first: RECENT },
    requestPolicy: 'cache-and-network',
  });
  const broadcasts = data?.broadcasts.nodes;
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  const running = broadcasts?.some(({ state }) => state !== 'DRAFT' && !isOver(state)) ?? false;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') refresh();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [running, refresh]);
  return { broadcasts, error, fetching, refresh };
}

export type Recent = ReturnType<typeof useRecent>;
