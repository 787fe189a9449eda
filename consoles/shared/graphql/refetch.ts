import { cacheExchange, type Exchange, makeOperation, mapExchange } from '@urql/core';

/** Asks again for what last came with an error: a partial answer must not stay when all is well again. */
function refetchFailed(): Exchange {
  const failed = new Set<number>();
  return mapExchange({
    onOperation: (operation) =>
      failed.has(operation.key)
        ? makeOperation(operation.kind, operation, { ...operation.context, requestPolicy: 'network-only' })
        : undefined,
    onResult: ({ operation, error }) => {
      if (operation.kind !== 'query') return;
      if (error) failed.add(operation.key);
      else failed.delete(operation.key);
    },
  });
}

/** Keeps answers for the page's life, but only whole ones. */
export function cacheWholeAnswers(): Exchange[] {
  return [refetchFailed(), cacheExchange];
}
