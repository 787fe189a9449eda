import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { buildSchema, graphql, GraphQLError } from 'graphql';

import sdl from '../../../gateway/schema.graphql?raw';
import { cacheWholeAnswers } from '../graphql/refetch';

const schema = buildSchema(sdl);

export interface SeenRequest {
  readonly operationName: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

type Resolvers = Readonly<Record<string, unknown>>;
type Sink = { readonly next: (result: { data: Record<string, unknown> }) => void };

/**
 * Stands at the wire in the gateway's place: what the consoles send is checked and answered by the
 * gateway's committed schema, over values that a test gives, and every request is kept to look at.
 */
export class WireGateway {
  readonly requests: SeenRequest[] = [];
  readonly watchers: { readonly variables: unknown; readonly sink: Sink }[] = [];
  readonly #resolvers: Resolvers;
  #outages: string[] = [];

  constructor(resolvers: Resolvers) {
    this.#resolvers = resolvers;
  }

  /** The next request of this operation is carried out, but its answer is lost on the way. */
  loseAnswerOf(operationName: string) {
    this.#outages.push(operationName);
  }

  readonly fetch: typeof fetch = async (_input, init) => {
    const { query, variables, operationName } = JSON.parse(String(init?.body)) as SeenRequest & { query: string };
    this.requests.push({ operationName, variables });
    const result = await graphql({ schema, source: query, variableValues: variables, operationName, rootValue: this.#resolvers });
    const outage = this.#outages.indexOf(operationName);
    if (outage !== -1) {
      this.#outages.splice(outage, 1);
      throw new TypeError('Failed to fetch');
    }
    return Response.json(result);
  };

  of(operationName: string): readonly SeenRequest[] {
    return this.requests.filter((request) => request.operationName === operationName);
  }

  /** Tells every watcher something new. */
  publish(data: Record<string, unknown>) {
    for (const { sink } of this.watchers) sink.next({ data });
  }

  client(): Client {
    return new Client({
      url: 'http://gateway.test/graphql',
      fetch: this.fetch,
      preferGetMethod: false,
      exchanges: [
        ...cacheWholeAnswers(),
        fetchExchange,
        subscriptionExchange({
          forwardSubscription: ({ variables }) => ({
            subscribe: (sink) => {
              const watcher = { variables, sink: sink as Sink };
              this.watchers.push(watcher);
              return { unsubscribe: () => void this.watchers.splice(this.watchers.indexOf(watcher), 1) };
            },
          }),
        }),
      ],
    });
  }
}

/** An error as the gateway gives it, to be thrown by a resolver. */
export function refusal(code: string, extensions: Record<string, unknown> = {}): GraphQLError {
  return new GraphQLError('refused', { extensions: { code, ...extensions } });
}
