import { initGraphQLTada } from 'gql.tada';

import type { introspection } from './graphql-env';

/** Writes GraphQL documents whose results and variables are typed by the gateway's schema. */
export const graphql = initGraphQLTada<{
  introspection: introspection;
  // DateTime is ISO 8601; BigInt is a JSON number up to 2^53.
  scalars: { DateTime: string; BigInt: number };
}>();

export type { ResultOf, VariablesOf } from 'gql.tada';
