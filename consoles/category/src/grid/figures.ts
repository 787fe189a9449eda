import type { UnitRow } from '../../../shared/units/children';

export interface CellCounts {
  readonly groupCount: number;
  readonly memberCount: number;
}

const NONE: CellCounts = { groupCount: 0, memberCount: 0 };

/** A unit's groups of one category; null when the register did not answer. */
export function countsOf(unit: UnitRow, category: string): CellCounts | null {
  if (!unit.groupCounts) return null;
  return unit.groupCounts.byCategory.find(({ key }) => key === category) ?? NONE;
}

/** The most members that any one cell has, at least 1: the darkest shade. */
export function mostMembers(units: readonly UnitRow[]): number {
  const counts = units.flatMap((unit) => unit.groupCounts?.byCategory.map(({ memberCount }) => memberCount) ?? []);
  return Math.max(1, ...counts);
}

/** One category over all units. */
export function totalOf(units: readonly UnitRow[], category: string): CellCounts {
  const counts = units.map((unit) => countsOf(unit, category) ?? NONE);
  return {
    groupCount: counts.reduce((sum, { groupCount }) => sum + groupCount, 0),
    memberCount: counts.reduce((sum, { memberCount }) => sum + memberCount, 0),
  };
}

/** Whether a unit lacks a group of any of the categories. */
export function hasGap(unit: UnitRow, categories: readonly { readonly key: string }[]): boolean {
  return gapCount([unit], categories) > 0;
}

/** How many crossings have no group at all. */
export function gapCount(units: readonly UnitRow[], categories: readonly { readonly key: string }[]): number {
  const cells = units.flatMap((unit) => categories.map(({ key }) => countsOf(unit, key)));
  return cells.filter((counts) => counts?.groupCount === 0).length;
}
