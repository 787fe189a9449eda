import type { AudienceChoice } from '../audience/audience';
import { type Language, LANGUAGES } from '../i18n/translate';

/** What is being written. */
export interface Draft {
  readonly title: string;
  readonly texts: Readonly<Record<Language, string>>;
}

export const EMPTY_DRAFT: Draft = { title: '', texts: { hi: '', en: '' } };

// The bounds of a broadcast, by the contract of messaging.
export const TITLE_MAX = 120;
export const TEXT_MAX = 4096;

export type DraftProblem =
  | { readonly kind: 'needTitle' | 'longTitle' | 'needText' | 'needAudience' | 'selectsNothing' }
  | { readonly kind: 'longText'; readonly language: Language };

/** Characters as the platform counts them: code points, not UTF-16 units. */
export function lengthOf(text: string): number {
  return [...text].length;
}

/** What must be put right before a draft can be reviewed; `groupCount` is null while not known. */
export function problemsOf(draft: Draft, choice: AudienceChoice | null, groupCount: number | null): readonly DraftProblem[] {
  const problems: DraftProblem[] = [];
  const title = lengthOf(draft.title.trim());
  if (choice === null) problems.push({ kind: 'needAudience' });
  else if (groupCount === 0) problems.push({ kind: 'selectsNothing' });
  if (title === 0) problems.push({ kind: 'needTitle' });
  if (title > TITLE_MAX) problems.push({ kind: 'longTitle' });
  if (LANGUAGES.every((language) => draft.texts[language].trim() === '')) problems.push({ kind: 'needText' });
  for (const language of LANGUAGES) {
    if (lengthOf(draft.texts[language].trim()) > TEXT_MAX) problems.push({ kind: 'longText', language });
  }
  return problems;
}

/**
 * A draft that cannot change any more, with the ids of its two requests. Every attempt to send it
 * carries the same ids, and the platform answers a repeated id with its first answer: that is why
 * a double click, a retry or a lost answer never sends twice.
 */
export interface SealedDraft {
  readonly createRequestId: string;
  readonly startRequestId: string;
  readonly title: string;
  readonly texts: readonly { readonly language: Language; readonly text: string }[];
  readonly choice: AudienceChoice;
}

export function sealDraft(draft: Draft, choice: AudienceChoice, newId: () => string): SealedDraft {
  return {
    createRequestId: newId(),
    startRequestId: newId(),
    title: draft.title.trim(),
    texts: LANGUAGES.map((language) => ({ language, text: draft.texts[language].trim() })).filter(({ text }) => text !== ''),
    choice,
  };
}
