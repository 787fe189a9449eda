import type { CombinedError } from '@urql/core';

/** One thing to put right, as the gateway names it. */
export interface Violation {
  readonly field: string;
  readonly reason: string;
  readonly description: string;
}

/** What a failed operation says, whatever way it came. */
export interface Failure {
  /** `extensions.code`, or UNREACHABLE when nothing answered. */
  readonly code: string;
  readonly reason: string | null;
  readonly violations: readonly Violation[];
  readonly requestId: string | null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function violationsOf(value: unknown): readonly Violation[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((entry) => ({
    field: textOf(entry['field']) ?? '',
    reason: textOf(entry['reason']) ?? '',
    description: textOf(entry['description']) ?? '',
  }));
}

/** The extensions of a GraphQL error, typed by looking. */
export function failureOf(error: CombinedError): Failure {
  const first = error.graphQLErrors[0];
  if (first === undefined) return { code: 'UNREACHABLE', reason: null, violations: [], requestId: null };
  return {
    code: textOf(first.extensions['code']) ?? 'INTERNAL_SERVER_ERROR',
    reason: textOf(first.extensions['reason']),
    violations: violationsOf(first.extensions['fieldViolations']),
    requestId: textOf(first.extensions['requestId']),
  };
}
