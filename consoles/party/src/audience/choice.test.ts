import { describe, expect, it } from 'vitest';

import { anOrganisation, named } from '../../../shared/testing/organisation';
import type { UnitRow } from '../../../shared/units/children';
import { growTree, NO_TREE, ROOT, type Tree } from '../tree/tree';
import { choiceOf, NO_FACETS } from './choice';
import { NOTHING_CHOSEN, toggle } from './selection';

const { blueprint } = anOrganisation();

function row(id: string, level: string, childCount: number): UnitRow {
  return { id, level, code: id, childCount, name: named(id), groupCounts: null };
}

function treeOf(branches: Readonly<Record<string, readonly UnitRow[]>>): Tree {
  let tree = NO_TREE;
  for (const [parent, units] of Object.entries(branches)) {
    tree = growTree(tree, { type: 'loaded', parent, page: { units, next: null, degraded: false } });
  }
  return tree;
}

const TREE = treeOf({
  [ROOT]: [row('state', 'state', 1)],
  state: [row('jaipur', 'division', 2)],
  jaipur: [row('dausa', 'district', 0), row('alwar', 'district', 0)],
});

function ticked(...units: readonly (readonly [id: string, level: string, ...path: string[]])[]) {
  let selection = NOTHING_CHOSEN;
  for (const [id, level, ...path] of units) selection = toggle(selection, { id, level, path, name: named(id) });
  return selection;
}

describe('choiceOf', () => {
  it('is nothing when nothing is ticked', () => {
    expect(choiceOf(NOTHING_CHOSEN, NO_FACETS, blueprint, TREE)).toBeNull();
  });

  it('includes what is ticked and excludes what was taken out of it', () => {
    const selection = ticked(['jaipur', 'division', 'state'], ['dausa', 'district', 'jaipur', 'state']);
    expect(choiceOf(selection, NO_FACETS, blueprint, TREE)).toEqual({
      audience: { include: [{ unitIds: ['jaipur'] }], exclude: [{ unitIds: ['dausa'] }] },
      splitLevel: 'district',
    });
  });

  it('narrows what is included, never what is excluded', () => {
    const selection = ticked(['jaipur', 'division', 'state'], ['dausa', 'district', 'jaipur', 'state']);
    const facets = { kinds: new Set(['internal']), categories: new Set(['women', 'farmers']) };
    expect(choiceOf(selection, facets, blueprint, TREE)?.audience).toEqual({
      include: [{ unitIds: ['jaipur'], kinds: ['internal'], categories: ['women', 'farmers'] }],
      exclude: [{ unitIds: ['dausa'] }],
    });
  });

  it('splits below an only child, for one bar tells nothing', () => {
    expect(choiceOf(ticked(['state', 'state']), NO_FACETS, blueprint, TREE)?.splitLevel).toBe('district');
  });

  it('splits by the lowest level when nothing lies below', () => {
    expect(choiceOf(ticked(['dausa', 'district', 'jaipur', 'state']), NO_FACETS, blueprint, TREE)?.splitLevel).toBe('district');
  });

  it('splits many units by themselves, for what lies below would be thousands of bars', () => {
    const divisions = Array.from({ length: 25 }, (_, index) => [`d${index}`, 'division', 'state'] as const);
    expect(choiceOf(ticked(...divisions.slice(1)), NO_FACETS, blueprint, TREE)?.splitLevel).toBe('district');
    expect(choiceOf(ticked(...divisions), NO_FACETS, blueprint, TREE)?.splitLevel).toBe('division');
  });

  it('shares more units than one term holds among several', () => {
    let selection = NOTHING_CHOSEN;
    for (let index = 0; index < 1001; index += 1) {
      selection = toggle(selection, { id: `u${index}`, level: 'district', path: [], name: named('u') });
    }
    const include = choiceOf(selection, NO_FACETS, blueprint, TREE)?.audience.include;
    expect(include?.map(({ unitIds }) => unitIds.length)).toEqual([1000, 1]);
  });
});
