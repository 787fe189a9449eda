import { useCallback, useEffect, useRef, useState } from 'react';
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
  const looking = useRef(false);

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
    // One walk at a time, however often it is asked for.
    if (looking.current) return;
    looking.current = true;
    setAnswer((before) => (isThere(before) ? before : null));
    const loaded = await look();
    looking.current = false;
    setAnswer((before) => betterOf(before, loaded));
  };
  return { answer, again };
}
