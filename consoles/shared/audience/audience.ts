import { graphql, type ResultOf, type VariablesOf } from '../graphql/graphql';

export const PreviewQuery = graphql(`
  query Preview($audience: AudienceInput!, $splitLevel: String) {
    previewAudience(audience: $audience, splitLevel: $splitLevel) {
      groupCount
      memberCount
      snapshotId
      exclusions { reason groupCount }
      byUnit { groupCount memberCount unit { id name { translations { language text } } } }
    }
  }
`);

export type Preview = ResultOf<typeof PreviewQuery>['previewAudience'];
/** The rule that selects groups, as the gateway takes it. */
export type Audience = VariablesOf<typeof PreviewQuery>['audience'];
export type AudienceTerm = Audience['include'][number];

/** A rule, and the level by which what it means is shown. */
export interface AudienceChoice {
  readonly audience: Audience;
  readonly splitLevel: string;
}

// What one term may hold, by the contract of the register.
const UNITS_PER_TERM = 1000;

/** Terms over the same kinds and categories, as few as hold all the units. */
export function termsOf(unitIds: readonly string[], facets: Omit<AudienceTerm, 'unitIds'> = {}): AudienceTerm[] {
  const terms: AudienceTerm[] = [];
  for (let start = 0; start < unitIds.length; start += UNITS_PER_TERM) {
    terms.push({ unitIds: unitIds.slice(start, start + UNITS_PER_TERM), ...facets });
  }
  return terms;
}
