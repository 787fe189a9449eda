import type { AudienceChoice } from '../../../shared/audience/audience';
import { termsOf } from '../../../shared/audience/audience';
import { type Blueprint, levelBelow } from '../../../shared/app/organisation';
import type { Mark, Selection } from './selection';

/** Narrows the ticked subtrees; an empty set does not narrow. */
export interface Facets {
  readonly kinds: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
}

export const NO_FACETS: Facets = { kinds: new Set(), categories: new Set() };

function highestLevel(blueprint: Blueprint, marks: readonly Mark[]): string {
  const levels = new Set(marks.map(({ level }) => level));
  return blueprint.levels.find(({ key }) => levels.has(key))?.key ?? '';
}

/** The audience of what was ticked, split one level below the highest unit; null when nothing is. */
export function choiceOf(selection: Selection, facets: Facets, blueprint: Blueprint): AudienceChoice | null {
  const marks = [...selection.values()];
  const chosen = marks.filter(({ mark }) => mark === 'in');
  if (chosen.length === 0) return null;
  const excluded = marks.filter(({ mark }) => mark === 'out').map(({ id }) => id);
  const include = termsOf(
    chosen.map(({ id }) => id),
    {
      ...(facets.kinds.size > 0 && { kinds: [...facets.kinds] }),
      ...(facets.categories.size > 0 && { categories: [...facets.categories] }),
    },
  );
  const audience = excluded.length > 0 ? { include, exclude: termsOf(excluded) } : { include };
  return { audience, splitLevel: levelBelow(blueprint, highestLevel(blueprint, chosen)) };
}
