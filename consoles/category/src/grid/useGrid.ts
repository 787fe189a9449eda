import { useCallback, useEffect, useState } from 'react';
import { useClient } from 'urql';

import type { Blueprint } from '../../../shared/app/organisation';
import { fetchLevel, type GridAnswer } from './gridData';

/** The rows of the grid; null while they load. */
export function useGrid(blueprint: Blueprint, level: string) {
  const client = useClient();
  const [answer, setAnswer] = useState<GridAnswer | null>(null);

  const look = useCallback(() => fetchLevel(client, blueprint, level), [client, blueprint, level]);

  useEffect(() => {
    let wanted = true;
    const load = async () => {
      const loaded = await look();
      // A failed look must not take away what is on the screen.
      if (wanted) setAnswer((before) => (before !== null && 'data' in before && 'failure' in loaded ? before : loaded));
    };
    void load();
    return () => {
      wanted = false;
    };
  }, [look]);
  const again = async () => {
    setAnswer(null);
    setAnswer(await look());
  };
  return { answer, again };
}
