import { describe, expect, it } from 'vitest';

import { named } from '../../../shared/testing/organisation';
import { type Mark, marksInOrder, NOTHING_CHOSEN, type Selection, tickOf, toggle, unitsAboveMarks } from './selection';

// state > jaipur > dausa > lalsot, and state > ajmer
const PATHS: Record<string, readonly string[]> = {
  state: [],
  ajmer: ['state'],
  jaipur: ['state'],
  dausa: ['jaipur', 'state'],
  lalsot: ['dausa', 'jaipur', 'state'],
};

function unit(id: string): Omit<Mark, 'mark'> {
  return { id, path: PATHS[id] ?? [], level: 'any', name: named(id) };
}

function after(...clicks: readonly string[]): Selection {
  let selection = NOTHING_CHOSEN;
  for (const click of clicks) selection = toggle(selection, unit(click));
  return selection;
}

function marksOf(selection: Selection) {
  return marksInOrder(selection).map(({ id, mark }) => `${mark} ${id}`);
}

function tick(selection: Selection, id: string) {
  return tickOf(selection, unitsAboveMarks(selection), id, PATHS[id] ?? []);
}

describe('toggle', () => {
  it('ticks a unit with everything below it', () => {
    const selection = after('jaipur');
    expect(marksOf(selection)).toEqual(['in jaipur']);
    expect(tick(selection, 'lalsot').tick).toBe('true');
    expect(tick(selection, 'ajmer').tick).toBe('false');
    expect(tick(selection, 'state').tick).toBe('mixed');
  });

  it('takes a unit out of a ticked one, and puts it back', () => {
    expect(marksOf(after('jaipur', 'dausa'))).toEqual(['in jaipur', 'out dausa']);
    expect(tick(after('jaipur', 'dausa'), 'jaipur').tick).toBe('mixed');
    expect(marksOf(after('jaipur', 'dausa', 'dausa'))).toEqual(['in jaipur']);
  });

  it('leaves what lies under an excluded unit alone, because exclusion wins', () => {
    const selection = after('jaipur', 'dausa');
    expect(toggle(selection, unit('lalsot'))).toBe(selection);
    expect(tick(selection, 'lalsot')).toEqual({ tick: 'false', blockedBy: selection.get('dausa') });
  });

  it('swallows the marks below a unit that is ticked or taken out', () => {
    expect(marksOf(after('dausa', 'state'))).toEqual(['in state']);
    expect(marksOf(after('jaipur', 'lalsot', 'dausa'))).toEqual(['in jaipur', 'out dausa']);
  });

  it('forgets exclusions with the unit they were taken out of', () => {
    expect(marksOf(after('jaipur', 'dausa', 'jaipur'))).toEqual([]);
  });

  it('tells exclusions after the unit that they belong to', () => {
    expect(marksOf(after('ajmer', 'jaipur', 'dausa'))).toEqual(['in ajmer', 'in jaipur', 'out dausa']);
  });
});
