import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';

import { localized, type LocalizedName } from './localized';
import { type Language, LOCALES, type Translate, translator } from './translate';

export interface I18n {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  readonly t: Translate;
  readonly number: (value: number) => string;
  readonly percent: (share: number) => string;
  readonly when: (instant: string) => string;
  /** A list of names as a sentence has it: "a, b and c". */
  readonly list: (names: readonly string[]) => string;
  readonly name: (name: LocalizedName) => string;
}

const STORED = 'chaupal.language';
const Context = createContext<I18n | null>(null);

function firstLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === 'hi' || stored === 'en') return stored;
  return navigator.language.startsWith('hi') ? 'hi' : 'en';
}

function makeI18n(language: Language, setLanguage: (language: Language) => void): I18n {
  const locale = LOCALES[language];
  const numbers = new Intl.NumberFormat(locale);
  const percents = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const instants = new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    hour: 'numeric',
    minute: '2-digit',
    // Hindi names the part of the day, where its locale alone would write an English "pm".
    ...(language === 'hi' && { dayPeriod: 'short' }),
  });
  const lists = new Intl.ListFormat(locale);
  return {
    language,
    setLanguage,
    t: translator(language),
    number: (value) => numbers.format(value),
    percent: (share) => percents.format(share),
    when: (instant) => instants.format(new Date(instant)),
    list: (names) => lists.format(names),
    name: (name) => localized(name, language),
  };
}

/** Gives everything below it one language, kept from visit to visit, and tells the document. */
export function I18nProvider({ children, initial }: { children: ReactNode; initial?: Language }) {
  const [language, setLanguage] = useState<Language>(() => initial ?? firstLanguage());
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(STORED, language);
  }, [language]);
  const value = useMemo(() => makeI18n(language, setLanguage), [language]);
  return <Context value={value}>{children}</Context>;
}

export function useI18n(): I18n {
  const value = useContext(Context);
  if (value === null) throw new Error('useI18n needs an I18nProvider above it');
  return value;
}
