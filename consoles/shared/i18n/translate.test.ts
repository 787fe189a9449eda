import { describe, expect, it } from 'vitest';

import { en } from './en';
import { hi } from './hi';
import { localized } from './localized';
import { type MessageKey, type Plural, translator } from './translate';

const KEYS = Object.keys(en) as MessageKey[];
const DEVANAGARI = /\p{Script=Devanagari}/u;
// A command is typed as it is in every language, and some texts only set places side by side.
const WITHOUT_WORDS = new Set<MessageKey>(['session.command', 'progress.bar', 'progress.stateOf']);
// Keys that are put together at run time from what the gateway says.
const BUILT = ['flag.', 'groupState.', 'exclusion.', 'broadcastState.', 'delivery.', 'error.', 'violation.', 'compose.', 'app.'];

function formsOf(entry: string | Plural): readonly string[] {
  return typeof entry === 'string' ? [entry] : [entry.one, entry.other];
}

function placesOf(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\{(\w+)\}/gu)].map(([, name]) => name ?? ''))].toSorted();
}

describe('the two tables', () => {
  it('have the same keys', () => {
    expect(Object.keys(hi).toSorted()).toEqual(KEYS.toSorted());
  });

  it.each(KEYS.filter((key) => !WITHOUT_WORDS.has(key)))('%s is Hindi in Hindi and English in English', (key) => {
    for (const text of formsOf(hi[key])) expect(text).toMatch(DEVANAGARI);
    for (const text of formsOf(en[key])) {
      expect(text).not.toMatch(DEVANAGARI);
      expect(text.trim()).not.toBe('');
    }
  });

  it.each(KEYS)('%s has the same places in both', (key) => {
    const places = placesOf(formsOf(en[key]).at(-1) ?? '');
    for (const text of [...formsOf(en[key]), ...formsOf(hi[key])]) expect(placesOf(text)).toEqual(places);
  });

  it('hold no text that nothing shows', () => {
    const sources = import.meta.glob<string>(['../../{party,category,shared}/**/*.{ts,tsx}', '!**/i18n/{en,hi}.ts', '!**/*.test.*'], {
      query: '?raw',
      import: 'default',
      eager: true,
    });
    const code = Object.values(sources).join('\n');
    const unused = KEYS.filter((key) => !code.includes(`'${key}'`) && !BUILT.some((prefix) => key.startsWith(prefix)));
    expect(unused).toEqual([]);
  });
});

describe('translator', () => {
  it('groups numbers the Indian way in both languages', () => {
    expect(translator('en')('count.groups', { count: 123456 })).toBe('1,23,456 groups');
    expect(translator('hi')('count.groups', { count: 123456 })).toBe('1,23,456 समूह');
  });

  it('chooses the form by the count', () => {
    const t = translator('en');
    expect(t('grid.chosen', { count: 1 })).toBe('1 cell chosen');
    expect(t('grid.chosen', { count: 0 })).toBe('0 cells chosen');
    expect(translator('hi')('grid.chosen', { count: 2 })).toBe('2 खाने चुने');
  });

  it('leaves a value with braces as it is', () => {
    expect(translator('en')('sent.text', { title: '{count}' })).toContain('“{count}”');
  });
});

describe('localized', () => {
  const name = { translations: [{ language: 'en', text: 'Ajmer' }] };

  it('falls back to English, then to whatever there is', () => {
    expect(localized(name, 'hi')).toBe('Ajmer');
    expect(localized({ translations: [{ language: 'mr', text: 'अजमेर' }] }, 'hi')).toBe('अजमेर');
    expect(localized({ translations: [] }, 'en')).toBe('');
  });
});
