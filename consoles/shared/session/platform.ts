import type { Client } from '@urql/core';

import { type Gateway, openGateway } from '../graphql/gateway';
import type { SocketStatus } from '../graphql/socket';
import type { Session, SessionState } from './session';

export interface PlatformState {
  readonly session: SessionState;
  /** The client of the last good token: it stays while a new one is asked for, so nothing is lost. */
  readonly client: Client | null;
  readonly socket: SocketStatus;
}

export interface Platform {
  readonly session: Session;
  readonly get: () => PlatformState;
  readonly subscribe: (listener: () => void) => () => void;
}

/** Joins the session and the gateway's client outside of React, so that no render opens sockets. */
export function openPlatform(session: Session, options: { url: string; fetch?: typeof fetch }): Platform {
  const listeners = new Set<() => void>();
  let gateway: Gateway | null = null;
  let token: string | null = null;
  let state: PlatformState = { session: session.get(), client: null, socket: 'idle' };

  const change = (next: Partial<PlatformState>) => {
    state = { ...state, ...next };
    for (const listener of listeners) listener();
  };
  const connect = (next: string) => {
    gateway?.close();
    token = next;
    gateway = openGateway({
      ...options,
      token: next,
      onStatus: (socket) => {
        if (token === next) change({ socket });
      },
      onRefused: (end) => session.refuse(next, end),
    });
    return gateway.client;
  };
  const follow = () => {
    const current = session.get();
    if (current.token !== null && current.token !== token) {
      change({ session: current, client: connect(current.token), socket: 'idle' });
    } else {
      change({ session: current });
    }
  };

  session.subscribe(follow);
  follow();
  return {
    session,
    get: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
