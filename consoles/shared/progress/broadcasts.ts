import { graphql, type ResultOf } from '../graphql/graphql';
import { DeliveryCounts } from './progress';

/** How many broadcasts the list shows. */
export const RECENT = 10;

export const BroadcastsQuery = graphql(
  `
    query Broadcasts($first: Int!) {
      broadcasts(first: $first) {
        nodes {
          id
          title
          state
          transport
          author
          createdAt
          startedAt
          completedAt
          failureReason
          progress { version counts { ...DeliveryCounts } }
        }
      }
    }
  `,
  [DeliveryCounts],
);

export type RecentBroadcast = ResultOf<typeof BroadcastsQuery>['broadcasts']['nodes'][number];
