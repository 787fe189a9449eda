import type { UnitRow } from '../../../shared/units/children';
import { type Branch, ROOT, type Tree } from './tree';

interface Place {
  /** Identifies the row on the screen. */
  readonly key: string;
  readonly parent: string;
  /** 1 for roots, as `aria-level` counts. */
  readonly depth: number;
}

export interface UnitTreeRow extends Place {
  readonly kind: 'unit';
  readonly unit: UnitRow;
  readonly open: boolean;
  readonly position: number;
  /** How many siblings there are, also those not loaded; -1 when not known. */
  readonly siblings: number;
}

/** Stands for children that are not there: being loaded, more than fit a page, or failed. */
export interface BranchTreeRow extends Place {
  readonly kind: 'loading' | 'more' | 'failed';
}

export type TreeRow = UnitTreeRow | BranchTreeRow;

function tail(branch: Branch): BranchTreeRow['kind'] | null {
  if (branch.loading) return 'loading';
  if (branch.failure !== null) return 'failed';
  return branch.next === null ? null : 'more';
}

function siblingsOf(tree: Tree, parent: string, branch: Branch): number {
  const known = tree.units.get(parent)?.childCount;
  return known ?? (branch.next === null ? branch.ids.length : -1);
}

function addBranch(tree: Tree, parent: string, depth: number, rows: TreeRow[]) {
  const branch = tree.branches.get(parent);
  if (branch === undefined) return;
  const siblings = siblingsOf(tree, parent, branch);
  for (const [index, id] of branch.ids.entries()) {
    const unit = tree.units.get(id);
    if (unit === undefined) continue;
    const open = tree.open.has(id);
    rows.push({ kind: 'unit', key: id, parent, depth, unit, open, position: index + 1, siblings });
    if (open) addBranch(tree, id, depth + 1, rows);
  }
  const kind = tail(branch);
  if (kind !== null) rows.push({ kind, key: `${parent}/rest`, parent, depth });
}

/** The rows that are on the screen, from top to bottom. */
export function visibleRows(tree: Tree): readonly TreeRow[] {
  const rows: TreeRow[] = [];
  addBranch(tree, ROOT, 1, rows);
  return rows;
}
