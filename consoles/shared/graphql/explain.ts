import { dynamicKey, type Translate } from '../i18n/translate';
import type { Failure, Violation } from './errors';

export interface Explanation {
  readonly title: string;
  readonly hint: string;
  readonly details: readonly string[];
}

const KNOWN = [
  'FORBIDDEN',
  'BAD_USER_INPUT',
  'NOT_FOUND',
  'CONFLICT',
  'FAILED_PRECONDITION',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'TIMEOUT',
] as const;

/** Each violation in words, once; one that has no words of ours keeps the platform's. */
export function explainViolations(violations: readonly Violation[], t: Translate): readonly string[] {
  const texts = violations.map(({ reason, description }) => {
    const key = dynamicKey('violation.', reason);
    return key === null ? description || reason : t(key);
  });
  return [...new Set(texts)];
}

/** A failure in the reader's language. The code decides; unknown codes are the platform's mistake. */
export function explain(failure: Failure, t: Translate, sending: boolean): Explanation {
  const details = explainViolations(failure.violations, t);
  if (failure.code === 'UNREACHABLE') {
    const hint = t(sending ? 'error.unreachableSendHint' : 'error.unreachableHint');
    return { title: t('error.unreachable'), hint, details };
  }
  if (failure.code === 'UNAUTHENTICATED') {
    const end = failure.reason === 'TOKEN_EXPIRED' ? 'expired' : 'refused';
    return { title: t(`session.${end}`), hint: t(`session.${end}Hint`), details };
  }
  const code = KNOWN.find((known) => known === failure.code) ?? 'INTERNAL_SERVER_ERROR';
  return { title: t(`error.${code}`), hint: t(`error.${code}.hint`), details };
}
