import { graphql, type ResultOf } from '../../../shared/graphql/graphql';

/** How many of a unit's own groups are listed. */
export const OWN_GROUPS = 20;

export const UnitQuery = graphql(`
  query Unit($id: ID!, $groups: Int!) {
    unit(id: $id) {
      id
      level
      code
      subtreeCount
      name { translations { language text } }
      ancestors { id level name { translations { language text } } }
      groupCounts {
        groupCount
        memberCount
        byKind { key groupCount memberCount }
        byCategory { key groupCount memberCount }
        byFlag { flag groupCount }
      }
      groups(first: $groups, ownOnly: true) {
        nodes { id code kind category memberCount state flags name { translations { language text } } }
        pageInfo { hasNextPage }
      }
    }
  }
`);

export type UnitDetails = NonNullable<ResultOf<typeof UnitQuery>['unit']>;
export type GroupCounts = NonNullable<UnitDetails['groupCounts']>;
export type OwnGroups = NonNullable<UnitDetails['groups']>;
