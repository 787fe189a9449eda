import type { CombinedError } from '@urql/core';
import { useEffect, useState } from 'react';
import { useClient } from 'urql';

import { newest, type Progress, ProgressSubscription } from './progress';

interface Look {
  readonly key: string;
  readonly progress: Progress | null;
  readonly error: CombinedError | null;
}

/** Watches one broadcast live, split as asked; a new question begins without the old answer. */
export function useProgress(id: string, splitLevel: string | null, withinUnitId: string | null) {
  const client = useClient();
  const key = JSON.stringify([id, splitLevel, withinUnitId]);
  const [look, setLook] = useState<Look>({ key, progress: null, error: null });

  useEffect(() => {
    const { unsubscribe } = client
      .subscription(ProgressSubscription, { id, splitLevel, withinUnitId })
      .subscribe(({ data, error }) => {
        setLook((before) => {
          const shown = before.key === key ? before.progress : null;
          const progress = data ? newest(shown, data.broadcastProgress) : shown;
          if (progress === shown && before.key === key && !error) return before;
          return { key, progress, error: error ?? null };
        });
      });
    return unsubscribe;
  }, [client, id, splitLevel, withinUnitId, key]);

  return look.key === key ? look : { key, progress: null, error: null };
}
