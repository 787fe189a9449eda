import { en } from './en';
import { hi } from './hi';

export const LANGUAGES = ['hi', 'en'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Plural {
  readonly one: string;
  readonly other: string;
}

export type MessageKey = keyof typeof en;
/** The shape of a language's table: every key, a pair where English has a pair. */
export type Messages = {
  readonly [K in MessageKey]: (typeof en)[K] extends string ? string : Plural;
};

/** The names between braces in a text. */
type Places<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Places<Rest> : never;
type TextOf<K extends MessageKey> = (typeof en)[K] extends { other: infer Other } ? Other : (typeof en)[K];
type Values<K extends MessageKey> = { readonly [P in Places<TextOf<K>>]: string | number };
/** The second argument of `t`: values for the places of the text, or nothing when it has none. */
export type Arguments<K extends MessageKey> = Places<TextOf<K>> extends never ? [] : [values: Values<K>];

export type Translate = <K extends MessageKey>(key: K, ...values: Arguments<K>) => string;

const TABLES: Record<Language, Messages> = { en, hi };
/** Both group digits the Indian way: 1,00,000. */
export const LOCALES: Record<Language, string> = { en: 'en-IN', hi: 'hi-IN' };
/** How each language calls itself. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', hi: 'हिन्दी' };

function chosen(entry: string | Plural, values: Record<string, string | number>, rules: Intl.PluralRules): string {
  if (typeof entry === 'string') return entry;
  return rules.select(Number(values['count'])) === 'one' ? entry.one : entry.other;
}

/** The translating function of one language; numbers among the values are grouped its way. */
export function translator(language: Language): Translate {
  const numbers = new Intl.NumberFormat(LOCALES[language]);
  const rules = new Intl.PluralRules(LOCALES[language]);
  return (key, ...[given]) => {
    const values: Record<string, string | number> = given ?? {};
    return chosen(TABLES[language][key], values, rules).replaceAll(/\{(\w+)\}/gu, (place, name: string) => {
      const value = values[name];
      return typeof value === 'number' ? numbers.format(value) : (value ?? place);
    });
  };
}

/** The translation of a key that was built at run time, or null when there is none. */
export function dynamicKey<P extends string>(prefix: P, name: string): (MessageKey & `${P}${string}`) | null {
  const key = `${prefix}${name}`;
  return Object.hasOwn(en, key) ? (key as MessageKey & `${P}${string}`) : null;
}
