import { describe, expect, it } from 'vitest';

import { compose, type ComposeState, WRITING } from './composeState';
import { type Draft, EMPTY_DRAFT, problemsOf, sealDraft } from './draft';
import { newUuid } from './uuid';

const CHOICE = { audience: { include: [{ unitIds: ['u'] }] }, splitLevel: 'district' };
const DRAFT: Draft = { title: 'Meeting', texts: { hi: '', en: 'Come at ten.' } };

function kindsOf(draft: Draft, groupCount: number | null = 5) {
  return problemsOf(draft, CHOICE, groupCount).map(({ kind }) => kind);
}

describe('problemsOf', () => {
  it('finds none in a draft with a title, one text and somebody to read it', () => {
    expect(kindsOf(DRAFT)).toEqual([]);
  });

  it('names everything that is missing at once', () => {
    expect(problemsOf(EMPTY_DRAFT, null, null).map(({ kind }) => kind)).toEqual(['needAudience', 'needTitle', 'needText']);
  });

  it('refuses a choice that selects nothing, but not one that is still being counted', () => {
    expect(kindsOf(DRAFT, 0)).toEqual(['selectsNothing']);
    expect(kindsOf(DRAFT, null)).toEqual([]);
  });

  it('counts characters as the platform does: code points', () => {
    expect(kindsOf({ ...DRAFT, title: '🌳'.repeat(120) })).toEqual([]);
    expect(kindsOf({ ...DRAFT, title: 'x'.repeat(121) })).toEqual(['longTitle']);
    expect(problemsOf({ ...DRAFT, texts: { hi: 'क'.repeat(4097), en: '' } }, CHOICE, 1)).toEqual([{ kind: 'longText', language: 'hi' }]);
  });
});

describe('sealDraft', () => {
  it('trims, leaves out what is empty, and gives each request an id of its own', () => {
    const sealed = sealDraft({ title: ' Meeting ', texts: { hi: '  ', en: ' Come. ' } }, CHOICE, newUuid);
    expect(sealed).toMatchObject({ title: 'Meeting', texts: [{ language: 'en', text: 'Come.' }], choice: CHOICE });
    expect(sealed.createRequestId).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/u);
    expect(sealed.startRequestId).not.toBe(sealed.createRequestId);
  });
});

describe('compose', () => {
  const sealed = sealDraft(DRAFT, CHOICE, newUuid);
  const confirming = compose({ ...WRITING, draft: DRAFT } as ComposeState, { type: 'sealed', sealed });
  const failure = { kind: 'notFound' } as const;

  it('goes back to the same text while nothing was started', () => {
    expect(compose(confirming, { type: 'reopened' })).toEqual({ step: 'write', draft: DRAFT, problemsShown: false });
  });

  it('does not go back once the start was asked for, whatever came of it', () => {
    let state = compose(confirming, { type: 'sendBegan' });
    state = compose(state, { type: 'startAsked' });
    state = compose(state, { type: 'failed', failure });
    expect(compose(state, { type: 'reopened' })).toBe(state);
    expect(state).toMatchObject({ step: 'confirm', sealed, sending: false, startAsked: true, failure });
  });

  it('does not change the text while it is sent', () => {
    const sending = compose(confirming, { type: 'sendBegan' });
    expect(compose(sending, { type: 'reopened' })).toBe(sending);
    expect(compose(sending, { type: 'edited', draft: EMPTY_DRAFT })).toBe(sending);
  });

  it('begins a new draft only when it is told to', () => {
    const sent = compose(confirming, { type: 'started', broadcastId: 'b' });
    expect(sent).toEqual({ step: 'sent', title: 'Meeting', broadcastId: 'b' });
    expect(compose(sent, { type: 'discarded' })).toEqual(WRITING);
  });
});
