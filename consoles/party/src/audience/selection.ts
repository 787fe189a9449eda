import type { LocalizedName } from '../../../shared/i18n/localized';

/** A unit that was ticked, with its subtree, or taken out of a ticked subtree. */
export interface Mark {
  readonly id: string;
  readonly mark: 'in' | 'out';
  /** The units above it, nearest first. */
  readonly path: readonly string[];
  readonly level: string;
  readonly name: LocalizedName;
}

/**
 * Marks in normal form: no `in` lies under an `in`, every `out` lies under an `in`, and nothing
 * lies under an `out` - because in an audience, exclusion wins.
 */
export type Selection = ReadonlyMap<string, Mark>;

export const NOTHING_CHOSEN: Selection = new Map();

export type Tick = 'true' | 'false' | 'mixed';

export interface TickState {
  readonly tick: Tick;
  /** The excluded unit above, which must be put back before this one can be chosen. */
  readonly blockedBy: Mark | null;
}

function nearestMark(selection: Selection, ids: readonly string[]): Mark | null {
  for (const id of ids) {
    const mark = selection.get(id);
    if (mark !== undefined) return mark;
  }
  return null;
}

/** The units that have a marked unit somewhere below them. */
export function unitsAboveMarks(selection: Selection): ReadonlySet<string> {
  return new Set([...selection.values()].flatMap(({ path }) => path));
}

/** How a unit's box is drawn. */
export function tickOf(selection: Selection, above: ReadonlySet<string>, id: string, path: readonly string[]): TickState {
  const nearest = nearestMark(selection, [id, ...path]);
  const blockedBy = nearest?.mark === 'out' && nearest.id !== id ? nearest : null;
  if (above.has(id)) return { tick: 'mixed', blockedBy };
  return { tick: nearest?.mark === 'in' ? 'true' : 'false', blockedBy };
}

function withoutBelow(selection: Selection, id: string): Map<string, Mark> {
  return new Map([...selection].filter(([, mark]) => !mark.path.includes(id)));
}

/** Ticks or unticks a unit; one below an excluded unit stays as it is. */
export function toggle(selection: Selection, unit: Omit<Mark, 'mark'>): Selection {
  const next = withoutBelow(selection, unit.id);
  if (selection.has(unit.id)) {
    next.delete(unit.id);
    return next;
  }
  const covering = nearestMark(selection, unit.path);
  if (covering?.mark === 'out') return selection;
  return next.set(unit.id, { ...unit, mark: covering === null ? 'in' : 'out' });
}

/** The marks as they are told: each ticked unit, followed by what was taken out of it. */
export function marksInOrder(selection: Selection): readonly Mark[] {
  const marks = [...selection.values()];
  const chosen = marks.filter(({ mark }) => mark === 'in');
  const out = marks.filter(({ mark }) => mark === 'out');
  return chosen.flatMap((mark) => [mark].concat(out.filter(({ path }) => path.includes(mark.id))));
}
