import type { Client } from '@urql/core';

import type { Blueprint } from '../../../shared/app/organisation';
import type { Failure } from '../../../shared/graphql/errors';
import { fetchFirst, type UnitRow } from '../../../shared/units/children';

export interface GridData {
  readonly units: readonly UnitRow[];
  readonly degraded: boolean;
}

export type GridAnswer = { readonly data: GridData } | { readonly failure: Failure };

/** The level of the rows: districts where there are any, else the level below the top. */
export function rowLevel(blueprint: Blueprint): string {
  const { levels } = blueprint;
  return levels.find(({ key }) => key === 'district')?.key ?? levels[1]?.key ?? levels[0]?.key ?? '';
}

/** All units of a level in tree order, found by walking down from the roots. */
export async function fetchLevel(client: Client, blueprint: Blueprint, level: string, parentId: string | null = null): Promise<GridAnswer> {
  const answer = await fetchFirst(client, parentId, Number.POSITIVE_INFINITY);
  if ('failure' in answer) return answer;
  const depth = (key: string) => blueprint.levels.findIndex((each) => each.key === key);
  const parts = await Promise.all(
    answer.page.units.map(async (unit): Promise<GridAnswer> => {
      if (unit.level === level) return { data: { units: [unit], degraded: false } };
      if (unit.childCount === 0 || depth(unit.level) > depth(level)) return { data: { units: [], degraded: false } };
      return fetchLevel(client, blueprint, level, unit.id);
    }),
  );
  const units: UnitRow[] = [];
  let { degraded } = answer.page;
  for (const part of parts) {
    if ('failure' in part) return part;
    units.push(...part.data.units);
    degraded ||= part.data.degraded;
  }
  return { data: { units, degraded } };
}
