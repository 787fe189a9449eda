import { useEffect, useState } from 'react';
import { type RequestPolicy, useQuery } from 'urql';

import { type AudienceChoice, PreviewQuery } from './audience';

const SETTLE_MS = 200;

/** A value once it has stood still for a moment, so that a row of clicks asks once. */
function useSettled<T>(value: T, key: string): T {
  const [settled, setSettled] = useState({ value, key });
  useEffect(() => {
    const timer = setTimeout(() => setSettled({ value, key }), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [value, key]);
  return settled.value;
}

/** What a choice means now. While a newer choice is being asked for, the older answer is `stale`. */
export function usePreview(choice: AudienceChoice | null, requestPolicy: RequestPolicy = 'cache-and-network') {
  const key = JSON.stringify(choice);
  const settled = useSettled(choice, key);
  const [{ data, error, fetching }, again] = useQuery({
    query: PreviewQuery,
    variables: { audience: settled?.audience ?? { include: [] }, splitLevel: settled?.splitLevel ?? null },
    pause: settled === null,
    requestPolicy,
  });
  const settling = JSON.stringify(settled) !== key;
  return {
    preview: choice === null || settled === null ? null : (data?.previewAudience ?? null),
    splitLevel: settled?.splitLevel ?? null,
    error: fetching || settling ? undefined : error,
    stale: fetching || settling,
    again: () => again({ requestPolicy: 'network-only' }),
  };
}

export type PreviewAnswer = ReturnType<typeof usePreview>;
