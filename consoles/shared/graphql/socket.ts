import { type Client, createClient } from 'graphql-ws';

/** Where the live connection stands; it is opened only while somebody watches. */
export type SocketStatus = 'idle' | 'connecting' | 'live' | 'lost';

export interface SocketOptions {
  readonly url: string;
  readonly token: string;
  readonly onStatus: (status: SocketStatus) => void;
  readonly onRefused: (end: 'expired' | 'refused') => void;
}

// Close codes of graphql-transport-ws: the token is not (or no longer) good. Trying again with the
// same one would be refused for ever.
const UNAUTHORIZED = 4401;
const FORBIDDEN = 4403;
const NORMAL_CLOSURE = 1000;
const PING_EVERY_MS = 12_000;
const PONG_WITHIN_MS = 5000;
const LONGEST_WAIT_MS = 8000;

function closeCode(event: unknown): number | null {
  return event instanceof CloseEvent ? event.code : null;
}

function closeReason(event: unknown): string {
  return event instanceof CloseEvent ? event.reason : '';
}

/** Doubles from half a second up to a bound, with jitter; ends at once when the device is back. */
function waitBeforeRetry(retries: number): Promise<void> {
  const wait = Math.min(500 * 2 ** retries, LONGEST_WAIT_MS) * (0.75 + Math.random() / 2);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, wait);
    window.addEventListener('online', done);
  });
}

/** A graphql-transport-ws client that notices a dead line and comes back by itself. */
export function openSocket({ url, token, onStatus, onRefused }: SocketOptions): Client {
  let socket: WebSocket | null = null;
  let pong: ReturnType<typeof setTimeout> | undefined;
  return createClient({
    url,
    connectionParams: { authorization: `Bearer ${token}` },
    keepAlive: PING_EVERY_MS,
    lazyCloseTimeout: 2000,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: waitBeforeRetry,
    shouldRetry: (event) => ![UNAUTHORIZED, FORBIDDEN].includes(closeCode(event) ?? 0),
    on: {
      connecting: (again) => {
        if (!again) onStatus('connecting');
      },
      connected: (opened) => {
        socket = opened as WebSocket;
        onStatus('live');
      },
      ping: (received) => {
        // Without this a line that was cut silently would look alive for minutes.
        if (!received) pong = setTimeout(() => socket?.close(4408, 'No pong'), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pong);
      },
      closed: (event) => {
        clearTimeout(pong);
        const code = closeCode(event);
        if (code === UNAUTHORIZED || code === FORBIDDEN) {
          onRefused(closeReason(event).includes('TOKEN_EXPIRED') ? 'expired' : 'refused');
        }
        onStatus(code === NORMAL_CLOSURE ? 'idle' : 'lost');
      },
    },
  });
}
