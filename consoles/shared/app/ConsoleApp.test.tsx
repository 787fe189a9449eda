import { act, render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, describe, expect, it } from 'vitest';

import { I18nProvider } from '../i18n/I18n';
import { openPlatform } from '../session/platform';
import { PlatformProvider } from '../session/PlatformProvider';
import { openSession, type Session } from '../session/session';
import { refusal, WireGateway } from '../testing/gateway';
import { anOrganisation } from '../testing/organisation';
import { ConsoleApp } from './ConsoleApp';
import { useOrganisation } from './organisation';

const { viewer, blueprint } = anOrganisation();
let session: Session | null = null;
afterEach(() => session?.close());

function Page() {
  return <input aria-label={`Draft of ${useOrganisation().viewer.tenant}`} />;
}

function drawApp(resolvers: Record<string, unknown>, token: string | null = 'a.b.c') {
  if (token !== null) sessionStorage.setItem('chaupal.token', token);
  const gateway = new WireGateway(resolvers);
  session = openSession();
  const platform = openPlatform(session, { url: 'http://gateway.test/graphql', fetch: gateway.fetch });
  render(
    <I18nProvider initial="en">
      <PlatformProvider platform={platform}>
        <ConsoleApp console="party" page={Page} />
      </PlatformProvider>
    </I18nProvider>,
  );
  return { user: userEvent.setup(), gateway, session };
}

describe('a console', () => {
  it('asks for a token when there is none, and takes a pasted link', async () => {
    const { user } = drawApp({ viewer, blueprint }, null);
    await user.type(screen.getByLabelText('Token or link'), 'nonsense');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(screen.getByRole('alert').textContent).toBe('This is neither a token nor a link with one.');
    await user.clear(screen.getByLabelText('Token or link'));
    await user.type(screen.getByLabelText('Token or link'), 'http://x.test/party/#token=a.b.c');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    expect(await screen.findByLabelText('Draft of neem')).toBeInstanceOf(HTMLElement);
  });

  it('shows the organisation in both languages and changes language at once', async () => {
    const { user } = drawApp({ viewer, blueprint });
    expect((await screen.findByText('Neem Sangathan')).tagName).toBe('STRONG');
    await user.click(screen.getByRole('button', { name: 'हिन्दी' }));
    expect(screen.getByText('नीम संगठन').tagName).toBe('STRONG');
    expect(document.documentElement.lang).toBe('hi');
    expect(screen.getByText(/सदस्यों की बातें कभी नहीं/u)).toBeInstanceOf(HTMLElement);
  });

  it('keeps what was written when the token expires, and goes on with a new one', async () => {
    const { user, session: opened } = drawApp({ viewer, blueprint });
    await user.type(await screen.findByLabelText('Draft of neem'), 'half a word');
    act(() => opened.refuse('a.b.c', 'expired'));
    expect(screen.getByRole('heading', { name: 'Your link has expired', hidden: true })).toBeInstanceOf(HTMLElement);
    expect(screen.getByText('chaupal token --tenant neem --role composer')).toBeInstanceOf(HTMLElement);
    await user.type(screen.getByLabelText('Token or link'), 'd.e.f');
    await user.click(screen.getByRole('button', { name: 'Sign in' }));
    await waitFor(() => expect(screen.queryByText('Your link has expired')).toBeNull());
    expect(screen.getByLabelText('Draft of neem')).toHaveProperty('value', 'half a word');
  });

  it('begins anew when the new token is of another organisation', async () => {
    let tenant = 'neem';
    const { user, session: opened } = drawApp({ viewer: () => ({ ...viewer, tenant }), blueprint });
    await user.type(await screen.findByLabelText('Draft of neem'), 'secret of neem');
    tenant = 'peepal';
    act(() => opened.signIn('d.e.f'));
    expect(await screen.findByLabelText('Draft of peepal')).toHaveProperty('value', '');
  });

  it.each([
    ['TOKEN_EXPIRED', 'Your link has expired'],
    ['TOKEN_INVALID', 'This token is not accepted'],
  ])('says what %s means', async (reason, title) => {
    drawApp({
      viewer: () => {
        throw refusal('UNAUTHENTICATED', { reason });
      },
    });
    expect(await screen.findByRole('heading', { name: title, hidden: true })).toBeInstanceOf(HTMLElement);
    expect(sessionStorage.getItem('chaupal.token')).toBeNull();
    // One answer: nothing else is said behind the dialog, and nothing was written that could be lost.
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.getAllByText(title)).toHaveLength(1);
    expect(screen.queryByText(/Nothing you wrote is lost/u)).toBeNull();
  });

  it('ends when the token does, without waiting for a refusal', async () => {
    drawApp({ viewer: { ...viewer, expiresAt: new Date(Date.now() + 30).toISOString() }, blueprint });
    expect(await screen.findByText('Your link has expired')).toBeInstanceOf(HTMLElement);
  });

  it('says when the gateway cannot be reached, and tries again', async () => {
    const gatewayDown = drawApp({ viewer, blueprint }, null);
    gatewayDown.gateway.loseAnswerOf('Shell');
    act(() => gatewayDown.session.signIn('a.b.c'));
    await screen.findByText('The gateway cannot be reached');
    await gatewayDown.user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByLabelText('Draft of neem')).toBeInstanceOf(HTMLElement);
  });

  it('comes back by itself when the gateway does', async () => {
    const { gateway, session: opened } = drawApp({ viewer, blueprint }, null);
    gateway.loseAnswerOf('Shell');
    act(() => opened.signIn('a.b.c'));
    await screen.findByText('The gateway cannot be reached');
    expect(await screen.findByLabelText('Draft of neem')).toBeInstanceOf(HTMLElement);
    expect(gateway.of('Shell')).toHaveLength(2);
  });

  it('says what to do when the tenant has no blueprint yet', async () => {
    drawApp({ viewer, blueprint: null });
    expect(await screen.findByText('No organisation yet')).toBeInstanceOf(HTMLElement);
  });
});
