import { tokenOfFragment } from './token';

/** Why there is no usable token: none was ever given, it ran out, or it is not accepted. */
export type SessionEnd = 'none' | 'expired' | 'refused';

export interface SessionState {
  readonly token: string | null;
  readonly end: SessionEnd | null;
}

export interface Session {
  readonly get: () => SessionState;
  readonly subscribe: (listener: () => void) => () => void;
  readonly signIn: (token: string) => void;
  readonly signOut: () => void;
  /** The platform refused the token; a refusal of an older token than the present one is late news. */
  readonly refuse: (token: string | null, end: 'expired' | 'refused') => void;
  /** Stops listening to the address. */
  readonly close: () => void;
}

const STORED = 'chaupal.token';

/**
 * Takes the token out of a fragment, so that it stays neither in the address bar nor in the
 * history, and keeps it for this tab only.
 */
function takeFromAddress(browser: Window): string | null {
  const token = tokenOfFragment(browser.location.hash);
  if (token === null) return null;
  browser.history.replaceState(null, '', browser.location.pathname + browser.location.search);
  browser.sessionStorage.setItem(STORED, token);
  return token;
}

/** The signed-in state of one tab. */
export function openSession(browser: Window = window): Session {
  const token = takeFromAddress(browser) ?? browser.sessionStorage.getItem(STORED);
  let state: SessionState = { token, end: token === null ? 'none' : null };
  const listeners = new Set<() => void>();
  const change = (next: SessionState) => {
    state = next;
    for (const listener of listeners) listener();
  };
  const signIn = (next: string) => {
    browser.sessionStorage.setItem(STORED, next);
    change({ token: next, end: null });
  };
  const leave = (end: SessionEnd) => {
    browser.sessionStorage.removeItem(STORED);
    change({ token: null, end });
  };
  // A second link opened in the same tab changes only the fragment: no load, just this event.
  const onHashChange = () => {
    const next = takeFromAddress(browser);
    if (next !== null) signIn(next);
  };
  browser.addEventListener('hashchange', onHashChange);
  return {
    get: () => state,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    signIn,
    signOut: () => leave('none'),
    refuse: (refused, end) => {
      if (refused === state.token && refused !== null) leave(end);
    },
    close: () => browser.removeEventListener('hashchange', onHashChange),
  };
}
