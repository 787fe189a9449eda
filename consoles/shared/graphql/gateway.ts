import {
  Client,
  fetchExchange,
  mapExchange,
  subscriptionExchange,
  type SubscriptionForwarder,
} from '@urql/core';

import { failureOf } from './errors';
import { cacheWholeAnswers } from './refetch';
import { openSocket, type SocketStatus } from './socket';

export interface GatewayOptions {
  readonly url: string;
  readonly token: string;
  readonly onStatus: (status: SocketStatus) => void;
  readonly onRefused: (end: 'expired' | 'refused') => void;
  readonly fetch?: typeof fetch;
}

export interface Gateway {
  readonly client: Client;
  readonly close: () => void;
}

// The gateway ends an operation after 15 s; whoever waits longer waits for a dead line.
const LONGEST_ANSWER_MS = 20_000;

function fetchWithin(send: typeof fetch): typeof fetch {
  return (input, init) => {
    const timeout = AbortSignal.timeout(LONGEST_ANSWER_MS);
    const signal = init?.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
    return send(input, { ...init, signal });
  };
}

function socketAddress(url: string): string {
  return new URL(url, window.location.href).href.replace(/^http/u, 'ws');
}

/** The client of one token: queries and mutations over HTTP, subscriptions over one socket. */
export function openGateway({ url, token, onStatus, onRefused, fetch: send = fetch }: GatewayOptions): Gateway {
  const socket = openSocket({ url: socketAddress(url), token, onStatus, onRefused });
  const watchRefusals = mapExchange({
    onError: (error) => {
      const failure = failureOf(error);
      if (failure.code === 'UNAUTHENTICATED') {
        onRefused(failure.reason === 'TOKEN_EXPIRED' ? 'expired' : 'refused');
      }
    },
  });
  const forwardSubscription: SubscriptionForwarder = (request) => {
    const payload = { ...request, query: request.query ?? '' };
    return { subscribe: (sink) => ({ unsubscribe: socket.subscribe(payload, sink) }) };
  };
  const client = new Client({
    url,
    exchanges: [...cacheWholeAnswers(), watchRefusals, fetchExchange, subscriptionExchange({ forwardSubscription })],
    fetch: fetchWithin(send),
    fetchOptions: { headers: { authorization: `Bearer ${token}` } },
    // Documents and variables stay out of addresses and logs.
    preferGetMethod: false,
  });
  return { client, close: () => void socket.dispose() };
}
