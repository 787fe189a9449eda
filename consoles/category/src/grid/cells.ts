import { type AudienceTerm, termsOf } from '../../../shared/audience/audience';

/** One crossing of a unit and a category. */
export interface Cell {
  readonly unitId: string;
  readonly category: string;
}

/** Keys of chosen cells; a unit's global id has no space, so the first one parts the two. */
export type Cells = ReadonlySet<string>;

export const NO_CELLS: Cells = new Set();

export function cellKey({ unitId, category }: Cell): string {
  return `${unitId} ${category}`;
}

function cellOf(key: string): Cell {
  const space = key.indexOf(' ');
  return { unitId: key.slice(0, space), category: key.slice(space + 1) };
}

/** Chooses all of the cells, or none of them when all were chosen already. */
export function toggleCells(chosen: Cells, cells: readonly Cell[]): Cells {
  const keys = cells.map(cellKey);
  const next = new Set(chosen);
  if (keys.every((key) => chosen.has(key))) for (const key of keys) next.delete(key);
  else for (const key of keys) next.add(key);
  return next;
}

function grouped(cells: readonly Cell[], by: (cell: Cell) => string, of: (cell: Cell) => string): Map<string, string[]> {
  const lists = new Map<string, string[]>();
  for (const cell of cells) lists.set(by(cell), [...(lists.get(by(cell)) ?? []), of(cell)]);
  return lists;
}

/** Keys that have the same list, under that list. */
function merged(lists: ReadonlyMap<string, readonly string[]>): readonly { readonly keys: string[]; readonly list: readonly string[] }[] {
  const bySignature = new Map<string, { keys: string[]; list: readonly string[] }>();
  for (const [key, list] of lists) {
    const signature = JSON.stringify([...list].toSorted());
    const entry = bySignature.get(signature) ?? { keys: [], list };
    entry.keys.push(key);
    bySignature.set(signature, entry);
  }
  return [...bySignature.values()];
}

/**
 * The terms that mean exactly the chosen cells. Two ways lead there - units that share their
 * categories, or categories that share their units - and the shorter one is taken; it never needs
 * more terms than there are categories.
 */
export function termsOfCells(chosen: Cells): readonly AudienceTerm[] {
  const cells = [...chosen].map(cellOf);
  const byUnit = merged(
    grouped(
      cells,
      ({ unitId }) => unitId,
      ({ category }) => category,
    ),
  );
  const byCategory = merged(
    grouped(
      cells,
      ({ category }) => category,
      ({ unitId }) => unitId,
    ),
  );
  return byUnit.length <= byCategory.length
    ? byUnit.flatMap(({ keys, list }) => termsOf(keys, { categories: [...list] }))
    : byCategory.flatMap(({ keys, list }) => termsOf([...list], { categories: keys }));
}
