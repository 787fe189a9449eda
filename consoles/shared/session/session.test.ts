import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openSession as openFor, type Session } from './session';
import { tokenOfFragment, tokenOfPaste } from './token';

const TOKEN = 'aaa.bbb.c-_c';
const OTHER = 'ddd.eee.fff';

let opened: Session[] = [];

function openSession(): Session {
  const session = openFor(window);
  opened.push(session);
  return session;
}

afterEach(() => {
  for (const session of opened) session.close();
  opened = [];
});
beforeEach(() => window.history.replaceState(null, '', '/party/?a=1'));

describe('openSession', () => {
  it('moves the token of the link into the tab and clears the fragment', () => {
    window.history.replaceState(null, '', `/party/?a=1#token=${TOKEN}`);
    expect(openSession().get()).toEqual({ token: TOKEN, end: null });
    expect(window.location.href).not.toContain('token');
    expect(window.location.search).toBe('?a=1');
    expect(sessionStorage.getItem('chaupal.token')).toBe(TOKEN);
  });

  it('finds the token again after a reload', () => {
    sessionStorage.setItem('chaupal.token', TOKEN);
    expect(openSession().get().token).toBe(TOKEN);
  });

  it('has none without a link', () => {
    expect(openSession().get()).toEqual({ token: null, end: 'none' });
  });

  it('takes a second link that was opened in the same tab', () => {
    const session = openSession();
    window.history.replaceState(null, '', `/party/#token=${OTHER}`);
    window.dispatchEvent(new HashChangeEvent('hashchange'));
    expect(session.get()).toEqual({ token: OTHER, end: null });
    expect(window.location.hash).toBe('');
  });

  it('forgets a token that was refused, and says why', () => {
    sessionStorage.setItem('chaupal.token', TOKEN);
    const session = openSession();
    session.refuse(TOKEN, 'expired');
    expect(session.get()).toEqual({ token: null, end: 'expired' });
    expect(sessionStorage.getItem('chaupal.token')).toBeNull();
  });

  it('keeps a newer token when an older one is refused late', () => {
    sessionStorage.setItem('chaupal.token', TOKEN);
    const session = openSession();
    session.signIn(OTHER);
    session.refuse(TOKEN, 'expired');
    expect(session.get()).toEqual({ token: OTHER, end: null });
  });
});

describe('tokenOfPaste', () => {
  it.each([
    ['a token', TOKEN],
    ['a token with spaces around', `  ${TOKEN}\n`],
    ['a header', `Bearer ${TOKEN}`],
    ['a whole link', `http://127.0.0.1:8000/party/#token=${TOKEN}`],
  ])('takes %s', (_what, pasted) => {
    expect(tokenOfPaste(pasted)).toBe(TOKEN);
  });

  it.each(['', 'hello', 'http://127.0.0.1:8000/party/', 'a.b', '#token=nonsense'])('refuses %j', (pasted) => {
    expect(tokenOfPaste(pasted)).toBeNull();
  });

  it('reads no other part of a fragment', () => {
    expect(tokenOfFragment('#other=a.b.c')).toBeNull();
  });
});
