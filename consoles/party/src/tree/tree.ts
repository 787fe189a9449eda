import type { Failure } from '../../../shared/graphql/errors';
import type { ChildrenPage, UnitRow } from '../../../shared/units/children';

/** The key of the branch that holds the roots. */
export const ROOT = '';

/** What is known of one unit's children. */
export interface Branch {
  readonly ids: readonly string[];
  readonly next: string | null;
  readonly loading: boolean;
  readonly failure: Failure | null;
  /** Whether counts of its units are missing. */
  readonly degraded: boolean;
}

/** The part of the tree that was loaded so far, and what is open of it. */
export interface Tree {
  readonly units: ReadonlyMap<string, UnitRow>;
  readonly parents: ReadonlyMap<string, string>;
  readonly branches: ReadonlyMap<string, Branch>;
  readonly open: ReadonlySet<string>;
}

export type TreeAction =
  | { readonly type: 'asked'; readonly parent: string }
  | { readonly type: 'loaded' | 'refreshed'; readonly parent: string; readonly page: ChildrenPage }
  | { readonly type: 'failed'; readonly parent: string; readonly failure: Failure }
  | { readonly type: 'opened'; readonly id: string }
  | { readonly type: 'closed'; readonly id: string };

export const NO_TREE: Tree = {
  units: new Map(),
  parents: new Map(),
  branches: new Map(),
  open: new Set(),
};

const NO_BRANCH: Branch = { ids: [], next: null, loading: false, failure: null, degraded: false };

function withBranch(tree: Tree, parent: string, change: Partial<Branch>): Tree {
  const branch = { ...(tree.branches.get(parent) ?? NO_BRANCH), ...change };
  return { ...tree, branches: new Map(tree.branches).set(parent, branch) };
}

/** A tree with a further page of a branch, or with all its pages anew. */
function loaded(tree: Tree, parent: string, page: ChildrenPage, anew: boolean): Tree {
  const units = new Map(tree.units);
  const parents = new Map(tree.parents);
  const before = anew ? undefined : tree.branches.get(parent);
  const ids = new Set(before?.ids);
  for (const unit of page.units) {
    units.set(unit.id, unit);
    parents.set(unit.id, parent);
    ids.add(unit.id);
  }
  const degraded = page.degraded || before?.degraded === true;
  return withBranch({ ...tree, units, parents }, parent, { ids: [...ids], next: page.next, loading: false, failure: null, degraded });
}

export function growTree(tree: Tree, action: TreeAction): Tree {
  switch (action.type) {
    case 'asked':
      return withBranch(tree, action.parent, { loading: true, failure: null });
    case 'loaded':
    case 'refreshed':
      return loaded(tree, action.parent, action.page, action.type === 'refreshed');
    case 'failed':
      return withBranch(tree, action.parent, { loading: false, failure: action.failure });
    case 'opened':
      return { ...tree, open: new Set(tree.open).add(action.id) };
    case 'closed': {
      const open = new Set(tree.open);
      open.delete(action.id);
      return { ...tree, open };
    }
  }
}

/** The units above one, nearest first. */
export function pathOf(tree: Tree, id: string): readonly string[] {
  const path: string[] = [];
  for (let parent = tree.parents.get(id); parent !== undefined && parent !== ROOT; parent = tree.parents.get(parent)) {
    path.push(parent);
  }
  return path;
}
