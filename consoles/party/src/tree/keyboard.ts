import { ROOT } from './tree';
import type { TreeRow } from './rows';

/** What a key press asks for, by the ARIA tree pattern. */
export type TreeCommand =
  | { readonly type: 'focus'; readonly key: string }
  | { readonly type: 'open'; readonly id: string }
  | { readonly type: 'close'; readonly id: string }
  | { readonly type: 'activate' }
  | { readonly type: 'choose' };

function focusOn(row: TreeRow | undefined): TreeCommand | null {
  return row === undefined ? null : { type: 'focus', key: row.key };
}

function right(rows: readonly TreeRow[], index: number): TreeCommand | null {
  const row = rows[index];
  if (row?.kind !== 'unit' || row.unit.childCount === 0) return null;
  return row.open ? focusOn(rows[index + 1]) : { type: 'open', id: row.key };
}

function left(rows: readonly TreeRow[], index: number): TreeCommand | null {
  const row = rows[index];
  if (row?.kind === 'unit' && row.open) return { type: 'close', id: row.key };
  return row === undefined || row.parent === ROOT ? null : { type: 'focus', key: row.parent };
}

/** The command of a key on the row at an index, or null when the key means nothing here. */
export function commandOf(key: string, rows: readonly TreeRow[], index: number): TreeCommand | null {
  switch (key) {
    case 'ArrowDown':
      return focusOn(rows[index + 1]);
    case 'ArrowUp':
      return focusOn(rows[index - 1]);
    case 'Home':
      return focusOn(rows[0]);
    case 'End':
      return focusOn(rows.at(-1));
    case 'ArrowRight':
      return right(rows, index);
    case 'ArrowLeft':
      return left(rows, index);
    case 'Enter':
      return { type: 'activate' };
    case ' ':
      return { type: 'choose' };
    default:
      return null;
  }
}

/** The next row, wrapping round, whose name begins with what was typed. */
export function findByName(rows: readonly TreeRow[], index: number, typed: string, nameOf: (row: TreeRow) => string): TreeCommand | null {
  const wanted = typed.toLocaleLowerCase();
  // A single letter moves on; more letters may still match the row they began with.
  const from = typed.length > 1 ? index : index + 1;
  const ordered = [...rows.slice(from), ...rows.slice(0, from)];
  return focusOn(ordered.find((row) => nameOf(row).toLocaleLowerCase().startsWith(wanted)));
}
