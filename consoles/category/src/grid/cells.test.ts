import { describe, expect, it } from 'vitest';

import { type Cell, cellKey, type Cells, NO_CELLS, termsOfCells, toggleCells } from './cells';

const UNITS = ['Ajmer', 'Bikaner', 'Churu', 'Dausa'];
const CATEGORIES = ['farmers', 'students', 'women'];

function cross(units: readonly string[], categories: readonly string[]): readonly Cell[] {
  return units.flatMap((unitId) => categories.map((category) => ({ unitId, category })));
}

function chosen(...cells: readonly Cell[]): Cells {
  return toggleCells(NO_CELLS, cells);
}

/** Every crossing that the terms select, as the register would. */
function meantBy(terms: ReturnType<typeof termsOfCells>): Set<string> {
  return new Set(terms.flatMap((term) => cross(term.unitIds, term.categories ?? []).map(cellKey)));
}

describe('toggleCells', () => {
  it('chooses all when some were missing, none when all were there', () => {
    const row = cross(['Ajmer'], CATEGORIES);
    const some = chosen({ unitId: 'Ajmer', category: 'women' });
    expect(toggleCells(some, row).size).toBe(3);
    expect(toggleCells(toggleCells(some, row), row).size).toBe(0);
  });
});

describe('termsOfCells', () => {
  it('makes a column one term', () => {
    expect(termsOfCells(chosen(...cross(UNITS, ['women'])))).toEqual([{ unitIds: UNITS, categories: ['women'] }]);
  });

  it('names every category of a row, so that groups without a category are not meant', () => {
    expect(termsOfCells(chosen(...cross(['Churu'], CATEGORIES)))).toEqual([{ unitIds: ['Churu'], categories: CATEGORIES }]);
  });

  it('takes the shorter of the two ways to say it', () => {
    const cells = [...cross(UNITS, ['women']), { unitId: 'Ajmer', category: 'farmers' }, { unitId: 'Dausa', category: 'students' }];
    // By unit there are three different lists, by category three lists: units that share are told once.
    expect(termsOfCells(chosen(...cells))).toEqual([
      { unitIds: ['Ajmer'], categories: ['women', 'farmers'] },
      { unitIds: ['Bikaner', 'Churu'], categories: ['women'] },
      { unitIds: ['Dausa'], categories: ['women', 'students'] },
    ]);
  });

  it('never needs more terms than there are categories', () => {
    const units = Array.from({ length: 8 }, (_, index) => `unit${index}`);
    // Every unit has another set of categories.
    const cells = units.flatMap((unitId, index) =>
      CATEGORIES.filter((_, bit) => ((index >> bit) & 1) === 1).map((category) => ({ unitId, category })),
    );
    expect(termsOfCells(chosen(...cells))).toHaveLength(3);
  });

  it('means exactly the chosen cells, whichever they are', () => {
    const all = cross(UNITS, CATEGORIES);
    for (let mask = 0; mask < 2 ** all.length; mask += 1) {
      const cells = chosen(...all.filter((_, bit) => ((mask >> bit) & 1) === 1));
      expect(meantBy(termsOfCells(cells))).toEqual(cells);
    }
  });
});
