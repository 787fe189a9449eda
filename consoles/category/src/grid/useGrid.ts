import { useCallback, useEffect, useState } from 'react';
import { useClient } from 'urql';

import type { Blueprint } from '../../../shared/app/organisation';
import { fetchLevel, type GridAnswer } from './gridData';

function isThere(answer: GridAnswer | null): boolean {
  return answer !== null && 'data' in answer;
}

/** A failed look must not take away what is on the screen. */
function betterOf(before: GridAnswer | null, loaded: GridAnswer): GridAnswer {
  return before !== null && isThere(before) && !isThere(loaded) ? before : loaded;
}

/** The rows of the grid; null while they load. */
export function useGrid(blueprint: Blueprint, level: string) {
  const client = useClient();
  const [answer, setAnswer] = useState<GridAnswer | null>(null);

  const look = useCallback(() => fetchLevel(client, blueprint, level), [client, blueprint, level]);

  useEffect(() => {
    let wanted = true;
    const load = async () => {
      const loaded = await look();
      if (wanted) setAnswer((before) => betterOf(before, loaded));
    };
    void load();
    return () => {
      wanted = false;
    };
  }, [look]);
  const again = async () => {
    setAnswer((before) => (isThere(before) ? before : null));
    const loaded = await look();
    setAnswer((before) => betterOf(before, loaded));
  };
  return { answer, again };
}
