import type { Client } from '@urql/core';

import { type Failure, failureOf } from '../graphql/errors';
import { graphql, type ResultOf } from '../graphql/graphql';

/** A unit as a row of the tree or of the grid. */
export const UnitRow = graphql(`
  fragment UnitRow on Unit @_unmask {
    id
    level
    code
    childCount
    name { translations { language text } }
    groupCounts {
      groupCount
      memberCount
      byCategory { key groupCount memberCount }
      byFlag { flag groupCount }
    }
  }
`);
export type UnitRow = ResultOf<typeof UnitRow>;

export const ChildrenQuery = graphql(
  `
    query Children($parentId: ID, $first: Int!, $after: String) {
      units(parentId: $parentId, first: $first, after: $after) {
        nodes { ...UnitRow }
        pageInfo { hasNextPage endCursor }
      }
    }
  `,
  [UnitRow],
);

/** A page of children; `next` asks for the page after it, null on the last one. */
export interface ChildrenPage {
  readonly units: readonly UnitRow[];
  readonly next: string | null;
  /** A service that did not answer: the units are right, their counts may be missing. */
  readonly degraded: boolean;
}

export type ChildrenAnswer = { readonly page: ChildrenPage } | { readonly failure: Failure };

const PAGE = 100;

/** The children of a unit, or the roots when there is none. */
export async function fetchChildren(client: Client, parentId: string | null, after: string | null): Promise<ChildrenAnswer> {
  const { data, error } = await client.query(ChildrenQuery, { parentId, first: PAGE, after }).toPromise();
  if (!data) return { failure: error ? failureOf(error) : { code: 'UNREACHABLE', reason: null, violations: [], requestId: null } };
  const { nodes, pageInfo } = data.units;
  const next = pageInfo.hasNextPage ? (pageInfo.endCursor ?? null) : null;
  return { page: { units: nodes, next, degraded: error !== undefined } };
}

/** The first children of a unit, at least so many of them, however many pages that takes. */
export async function fetchFirst(client: Client, parentId: string | null, count: number): Promise<ChildrenAnswer> {
  let whole: ChildrenPage = { units: [], next: null, degraded: false };
  do {
    // Each page names the next, so they can only come one after the other.
    // oxlint-disable-next-line no-await-in-loop
    const answer = await fetchChildren(client, parentId, whole.next);
    if ('failure' in answer) return answer;
    const { units, next, degraded } = answer.page;
    whole = { units: [...whole.units, ...units], next, degraded: whole.degraded || degraded };
  } while (whole.next !== null && whole.units.length < count);
  return { page: whole };
}
