import { graphql, type ResultOf, type VariablesOf } from '../graphql/graphql';

export const DeliveryCounts = graphql(`
  fragment DeliveryCounts on DeliveryCounts @_unmask {
    total
    planned
    dispatched
    accepted
    delivered
    read
    skipped
    failed
  }
`);

export const ProgressSubscription = graphql(
  `
    subscription Progress($id: ID!, $splitLevel: String, $withinUnitId: ID) {
      broadcastProgress(id: $id, splitLevel: $splitLevel, withinUnitId: $withinUnitId) {
        broadcastId
        state
        version
        readAt
        counts { ...DeliveryCounts }
        byUnit { level unit { id name { translations { language text } } } counts { ...DeliveryCounts } }
      }
    }
  `,
  [DeliveryCounts],
);

export type Counts = ResultOf<typeof DeliveryCounts>;
export type Progress = ResultOf<typeof ProgressSubscription>['broadcastProgress'];
export type Watched = VariablesOf<typeof ProgressSubscription>;
export type BroadcastState = Progress['state'];

/** The states of a delivery in the order a bar shows them: from what has arrived to what has not. */
export const DELIVERY_STATES = ['read', 'delivered', 'accepted', 'dispatched', 'planned', 'skipped', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export function arrivedOf(counts: Counts): number {
  return counts.delivered + counts.read;
}

export function underWayOf(counts: Counts): number {
  return counts.planned + counts.dispatched + counts.accepted;
}

export function isOver(state: BroadcastState): boolean {
  return state === 'COMPLETED' || state === 'FAILED';
}

/**
 * The newer of two looks at one broadcast. After a reconnection an older look may come late: it
 * must not move the bars backwards. The same version keeps the look we have, so nothing redraws.
 */
export function newest(shown: Progress | null, arrived: Progress): Progress {
  if (shown === null || shown.broadcastId !== arrived.broadcastId) return arrived;
  if (Date.parse(arrived.readAt) < Date.parse(shown.readAt)) return shown;
  const same = arrived.version === shown.version && arrived.state === shown.state;
  return same ? shown : arrived;
}
