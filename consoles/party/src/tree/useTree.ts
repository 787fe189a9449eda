import { useCallback, useEffect, useMemo, useReducer, useRef } from 'react';
import { useClient } from 'urql';

import { passes, useSelfRetry } from '../../../shared/graphql/useSelfRetry';
import { fetchChildren, fetchFirst, type UnitRow } from '../../../shared/units/children';
import { visibleRows } from './rows';
import { growTree, NO_TREE, ROOT } from './tree';

/** The tree of units, loaded branch by branch as it is opened. */
export function useTree() {
  const client = useClient();
  const [tree, change] = useReducer(growTree, NO_TREE);
  // Read by handlers between renders, so that a double press does not load twice.
  const asked = useRef(new Set<string>());

  const load = useCallback(
    async (parent: string, after: string | null): Promise<readonly UnitRow[]> => {
      if (asked.current.has(parent)) return [];
      asked.current.add(parent);
      change({ type: 'asked', parent });
      const answer = await fetchChildren(client, parent === ROOT ? null : parent, after);
      asked.current.delete(parent);
      if ('failure' in answer) {
        change({ type: 'failed', parent, failure: answer.failure });
        return [];
      }
      change({ type: 'loaded', parent, page: answer.page });
      return answer.page.units;
    },
    [client],
  );

  /** Loads a branch; a single child is only a lid, so what lies under it is shown too. */
  const loadDown = useCallback(
    async function down(parent: string): Promise<void> {
      const [only, ...others] = await load(parent, null);
      if (only === undefined || others.length > 0 || only.childCount === 0) return;
      change({ type: 'opened', id: only.id });
      await down(only.id);
    },
    [load],
  );

  useEffect(() => {
    if (!tree.branches.has(ROOT)) void loadDown(ROOT);
  }, [loadDown, tree.branches]);

  const open = useCallback(
    (id: string) => {
      change({ type: 'opened', id });
      if (!tree.branches.has(id)) void load(id, null);
    },
    [load, tree.branches],
  );
  const close = useCallback((id: string) => change({ type: 'closed', id }), []);
  /** Loads what a branch lacks: its next page, or what failed. */
  const loadMore = useCallback(
    (parent: string) => {
      if (parent === ROOT && tree.units.size === 0) void loadDown(ROOT);
      else void load(parent, tree.branches.get(parent)?.next ?? null);
    },
    [load, loadDown, tree],
  );
  const refresh = useCallback(
    async (parent: string, count: number) => {
      if (asked.current.has(parent)) return;
      asked.current.add(parent);
      const answer = await fetchFirst(client, parent === ROOT ? null : parent, count);
      asked.current.delete(parent);
      // What is on the screen stays when nothing better came.
      if ('page' in answer) change({ type: 'refreshed', parent, page: answer.page });
    },
    [client],
  );
  const branches = [...tree.branches];
  const degraded = branches.some(([, branch]) => branch.degraded);
  /** Asks anew for the branches of which counts are missing. */
  const complete = () => {
    for (const [parent, branch] of branches) if (branch.degraded) void refresh(parent, branch.ids.length);
  };
  const passing = branches.filter(([, branch]) => passes(branch.failure)).map(([parent]) => parent);
  useSelfRetry(passing.length > 0, () => {
    for (const parent of passing) loadMore(parent);
  });
  const rows = useMemo(() => visibleRows(tree), [tree]);
  return { tree, rows, open, close, loadMore, degraded, complete };
}

export type TreeControl = ReturnType<typeof useTree>;
