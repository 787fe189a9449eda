import type { Language } from './translate';

/** A name in several languages, as the gateway gives it. */
export interface LocalizedName {
  readonly translations: readonly { readonly language: string; readonly text: string }[];
}

/** The name in a language, else in English, else in whichever there is. */
export function localized(name: LocalizedName, language: Language): string {
  const of = (wanted: string) => name.translations.find((entry) => entry.language === wanted)?.text;
  return of(language) ?? of('en') ?? name.translations[0]?.text ?? '';
}
