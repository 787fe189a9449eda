import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { draw } from '../../shared/testing/render';
import { refusal, WireGateway } from '../../shared/testing/gateway';
import { anOrganisation, aUnit, unitsOf } from '../../shared/testing/organisation';
import { CategoryPage } from './CategoryPage';

// Districts lie two levels below the only root, and come in pages of two.
const TREE = [
  aUnit('Rajasthan', {
    level: 'state',
    children: [
      aUnit('Ajmer Division', {
        level: 'division',
        children: [aUnit('Ajmer', { byCategory: { farmers: 2, women: 1 } }), aUnit('Nagaur', { byCategory: { farmers: 1 } }), aUnit('Tonk')],
      }),
      aUnit('Kota Division', { level: 'division', children: [aUnit('Baran', { byCategory: { students: 4 } })] }),
    ],
  }),
];

function aGateway(resolvers: Record<string, unknown> = {}) {
  return new WireGateway({
    units: unitsOf(TREE, 2),
    broadcasts: { nodes: [] },
    previewAudience: { groupCount: 3, memberCount: 300, snapshotId: 's', exclusions: [], byUnit: [] },
    ...resolvers,
  });
}

async function drawGrid(gateway = aGateway()) {
  const drawn = draw(<CategoryPage />, { gateway });
  const grid = await screen.findByRole('grid');
  return { ...drawn, gateway, grid };
}

function spot(row: number, column: number): HTMLElement {
  const cell = document.querySelector<HTMLElement>(`[data-row="${row}"][data-column="${column}"]`);
  if (cell === null) throw new Error(`no cell at ${row}, ${column}`);
  return cell;
}

function chosen(row: number, column: number) {
  return spot(row, column).getAttribute('aria-selected') === 'true';
}

describe('the grid', () => {
  it('has every district of the tree as a row, in tree order, over all pages', async () => {
    const { grid } = await drawGrid();
    expect(within(grid).getAllByRole('rowheader').map(({ textContent }) => textContent)).toEqual(['Ajmer', 'Nagaur', 'Tonk', 'Baran']);
  });

  it('tells groups and members of a crossing, and marks a gap in words', async () => {
    await drawGrid();
    expect(spot(1, 1).textContent).toContain('Farmers in Ajmer: 2 groups, 20 members');
    expect(spot(1, 2).textContent).toContain('Students in Ajmer: no group. A gap.');
    expect(spot(1, 2).dataset['gap']).toBe('true');
    // Four districts by three categories, four crossings with groups.
    expect(screen.getByText('8 gaps')).toBeInstanceOf(HTMLElement);
  });

  it('adds up each category', async () => {
    await drawGrid();
    expect(spot(0, 1).textContent).toBe('Farmers3 groups30');
  });

  it('is one tab stop, and moves by the grid pattern', async () => {
    const { user, grid } = await drawGrid();
    // The bar of a narrow screen has three buttons; then come the gaps' button and the grid.
    await user.keyboard('{Tab}'.repeat(5));
    expect(document.activeElement).toBe(spot(1, 1));
    await user.keyboard('{ArrowRight}{ArrowDown}');
    expect(document.activeElement).toBe(spot(2, 2));
    await user.keyboard('{Home}{ArrowUp}{ArrowUp}{ArrowUp}');
    expect(document.activeElement).toBe(spot(0, 0));
    await user.keyboard('{Control>}{End}{/Control}{ArrowRight}');
    expect(document.activeElement).toBe(spot(4, 3));
    await user.keyboard('{PageUp}{Control>}{Home}{/Control}');
    expect(document.activeElement).toBe(spot(0, 0));
    expect([...grid.querySelectorAll('[tabindex="0"]')]).toEqual([spot(0, 0)]);
  });

  it('chooses a cell, a row, a column and everything with Space', async () => {
    const { user } = await drawGrid();
    spot(1, 2).focus();
    await user.keyboard(' ');
    expect([chosen(1, 1), chosen(1, 2), chosen(2, 2)]).toEqual([false, true, false]);
    spot(1, 0).focus();
    await user.keyboard(' ');
    expect([chosen(1, 0), chosen(1, 1), chosen(1, 3), chosen(2, 1)]).toEqual([true, true, true, false]);
    spot(0, 3).focus();
    await user.keyboard(' ');
    expect([chosen(0, 3), chosen(4, 3), chosen(4, 2)]).toEqual([true, true, false]);
    spot(0, 0).focus();
    await user.keyboard(' ');
    expect(screen.getByText('12 cells chosen')).toBeInstanceOf(HTMLElement);
    await user.keyboard(' ');
    expect(screen.getByText('Nobody is chosen yet.')).toBeInstanceOf(HTMLElement);
  });

  it('makes the chosen cells the audience that is previewed and sent', async () => {
    const { user, gateway } = await drawGrid();
    await user.click(spot(0, 3));
    await waitFor(() =>
      expect(gateway.of('Preview').at(-1)?.variables).toEqual({
        audience: { include: [{ unitIds: ['Ajmer', 'Nagaur', 'Tonk', 'Baran'], categories: ['women'] }] },
        splitLevel: 'district',
      }),
    );
    expect(screen.getByText('Women in Ajmer, Nagaur, Tonk and Baran')).toBeInstanceOf(HTMLElement);
  });

  it('says that it did not load, and tries again', async () => {
    let down = true;
    const units = unitsOf(TREE);
    const gateway = aGateway({
      units: (args: { parentId?: string }) => {
        if (args.parentId === 'Kota Division' && down) throw refusal('TIMEOUT');
        return units(args);
      },
    });
    const { user } = draw(<CategoryPage />, { gateway });
    await screen.findByText('The answer took too long');
    down = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByRole('grid')).toBeInstanceOf(HTMLElement);
  });

  it('has all figures once the register answers again, and loses none on the way', async () => {
    let down = true;
    const ajmer = aUnit('Ajmer', { byCategory: { farmers: 2 } });
    const flaky = { ...ajmer, groupCounts: () => (down ? Promise.reject(refusal('SERVICE_UNAVAILABLE')) : ajmer.groupCounts) };
    const roots = [flaky, aUnit('Tonk', { byCategory: { women: 1 } })] as unknown as Parameters<typeof unitsOf>[0];
    const { user } = await drawGrid(aGateway({ units: unitsOf(roots) }));
    expect(spot(1, 1).textContent).toBe('–');
    down = false;
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(screen.getByRole('grid')).toBeInstanceOf(HTMLElement);
    await waitFor(() => expect(spot(1, 1).textContent).toContain('2 groups'));
    expect(screen.queryByText(/some figures are missing/u)).toBeNull();
  });

  it('shows only the districts with a gap when asked, and keeps what was chosen', async () => {
    const full = { farmers: 1, students: 1, women: 1 };
    const roots = [aUnit('Ajmer', { byCategory: full }), aUnit('Tonk', { byCategory: { ...full, women: 0 } })];
    const { user, grid } = await drawGrid(aGateway({ units: unitsOf(roots) }));
    const rows = () => within(grid).getAllByRole('rowheader').map(({ textContent }) => textContent);
    await user.click(spot(2, 1));
    await user.click(screen.getByRole('button', { name: '1 gap' }));
    expect(rows()).toEqual(['Tonk']);
    expect([...grid.querySelectorAll('[tabindex="0"]')]).toEqual([spot(1, 1)]);
    expect(spot(1, 3).textContent).toContain('Women in Tonk: no group. A gap.');
    expect(spot(1, 3).dataset['gap']).toBe('true');
    expect(screen.getByText('1 cell chosen')).toBeInstanceOf(HTMLElement);
    await user.click(screen.getByRole('button', { name: '1 gap' }));
    expect(rows()).toEqual(['Ajmer', 'Tonk']);
    expect([chosen(1, 1), chosen(2, 1)]).toEqual([false, true]);
  });

  it('offers nothing to choose to somebody who may only look', async () => {
    const { user } = draw(<CategoryPage />, { gateway: aGateway(), organisation: anOrganisation(['view']) });
    const grid = await screen.findByRole('grid');
    await user.click(spot(1, 1));
    await user.keyboard(' ');
    expect(document.activeElement).toBe(spot(1, 1));
    expect(grid.hasAttribute('aria-multiselectable')).toBe(false);
    expect(grid.querySelector('[aria-selected]')).toBeNull();
    expect(screen.queryByText(/Space chooses/u)).toBeNull();
    expect(screen.queryByText('Nobody is chosen yet.')).toBeNull();
    expect(screen.getByText(/can look but not send/u)).toBeInstanceOf(HTMLElement);
  });
});
