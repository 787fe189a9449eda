import type { Client } from '@urql/core';

import { type Failure, failureOf, type Violation } from '../graphql/errors';
import { graphql } from '../graphql/graphql';
import type { SealedDraft } from './draft';

export const CreateMutation = graphql(`
  mutation CreateBroadcast($input: CreateBroadcastInput!) {
    createBroadcast(input: $input) {
      __typename
      ... on CreateBroadcastSuccess { broadcast { id } }
      ... on InvalidAudience { message violations { field reason description } }
    }
  }
`);

export const StartMutation = graphql(`
  mutation StartBroadcast($input: StartBroadcastInput!) {
    startBroadcast(input: $input) {
      __typename
      ... on StartBroadcastSuccess { broadcast { id state } }
      ... on BroadcastNotFound { message broadcastId }
      ... on BroadcastAlreadyStarted { message broadcast { id state } }
    }
  }
`);

export type SendFailure =
  | { readonly kind: 'invalidAudience'; readonly violations: readonly Violation[] }
  | { readonly kind: 'notFound' }
  | { readonly kind: 'failed'; readonly failure: Failure };

export type SendOutcome = { readonly kind: 'started'; readonly broadcastId: string } | SendFailure;

const NO_ANSWER: Failure = { code: 'UNREACHABLE', reason: null, violations: [], requestId: null };

async function create(client: Client, draft: SealedDraft): Promise<string | SendFailure> {
  const input = {
    requestId: draft.createRequestId,
    title: draft.title,
    texts: [...draft.texts],
    audience: draft.choice.audience,
  };
  const { data, error } = await client.mutation(CreateMutation, { input }).toPromise();
  const result = data?.createBroadcast;
  if (!result) return { kind: 'failed', failure: error ? failureOf(error) : NO_ANSWER };
  if (result.__typename === 'InvalidAudience') return { kind: 'invalidAudience', violations: result.violations };
  return result.broadcast.id;
}

/**
 * Makes the broadcast and starts it. May be called again with the same draft after any outcome.
 *
 * @param onStartAsked called just before the start is asked for: from then on it may run.
 */
export async function send(client: Client, draft: SealedDraft, onStartAsked: () => void): Promise<SendOutcome> {
  const created = await create(client, draft);
  if (typeof created !== 'string') return created;
  onStartAsked();
  const input = { requestId: draft.startRequestId, broadcastId: created };
  const { data, error } = await client.mutation(StartMutation, { input }).toPromise();
  const result = data?.startBroadcast;
  if (!result) return { kind: 'failed', failure: error ? failureOf(error) : NO_ANSWER };
  if (result.__typename === 'BroadcastNotFound') return { kind: 'notFound' };
  // Started already is what was wanted: only this draft knows the broadcast's id.
  return { kind: 'started', broadcastId: result.broadcast.id };
}
