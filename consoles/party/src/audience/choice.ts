import type { AudienceChoice } from '../../../shared/audience/audience';
import { termsOf } from '../../../shared/audience/audience';
import { type Blueprint, levelBelow } from '../../../shared/app/organisation';
import type { Tree } from '../tree/tree';
import type { Mark, Selection } from './selection';

/** Narrows the ticked subtrees; an empty set does not narrow. */
export interface Facets {
  readonly kinds: ReadonlySet<string>;
  readonly categories: ReadonlySet<string>;
}

export const NO_FACETS: Facets = { kinds: new Set(), categories: new Set() };

function highest(blueprint: Blueprint, marks: readonly Mark[]): Mark | undefined {
  const depth = ({ level }: Mark) => blueprint.levels.findIndex(({ key }) => key === level);
  return marks.toSorted((a, b) => depth(a) - depth(b))[0];
}

/** The level below a unit; below an only child of it when it has no other, for one bar tells nothing. */
function levelUnder(tree: Tree, blueprint: Blueprint, id: string, level: string): string {
  const [only, ...others] = tree.branches.get(id)?.ids ?? [];
  const child = only === undefined ? undefined : tree.units.get(only);
  if (child === undefined || others.length > 0) return levelBelow(blueprint, level);
  return levelUnder(tree, blueprint, child.id, child.level);
}

// So many units are told apart by themselves; what lies below them would be thousands of bars.
const MANY_UNITS = 25;

function splitOf(tree: Tree, blueprint: Blueprint, chosen: readonly Mark[], top: Mark): string {
  if (chosen.length === 1) return levelUnder(tree, blueprint, top.id, top.level);
  return chosen.length < MANY_UNITS ? levelBelow(blueprint, top.level) : top.level;
}

/** The audience of what was ticked, split one level below the highest unit; null when nothing is. */
export function choiceOf(selection: Selection, facets: Facets, blueprint: Blueprint, tree: Tree): AudienceChoice | null {
  const marks = [...selection.values()];
  const chosen = marks.filter(({ mark }) => mark === 'in');
  const top = highest(blueprint, chosen);
  if (top === undefined) return null;
  const excluded = marks.filter(({ mark }) => mark === 'out').map(({ id }) => id);
  const include = termsOf(
    chosen.map(({ id }) => id),
    {
      ...(facets.kinds.size > 0 && { kinds: [...facets.kinds] }),
      ...(facets.categories.size > 0 && { categories: [...facets.categories] }),
    },
  );
  const audience = excluded.length > 0 ? { include, exclude: termsOf(excluded) } : { include };
  return { audience, splitLevel: splitOf(tree, blueprint, chosen, top) };
}
