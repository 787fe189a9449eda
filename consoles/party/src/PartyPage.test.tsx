import { screen, waitFor, within } from '@testing-library/react';
import type { UserEvent } from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { draw } from '../../shared/testing/render';
import { refusal, WireGateway } from '../../shared/testing/gateway';
import { anOrganisation, aUnit, named, type TestUnit, unitsOf } from '../../shared/testing/organisation';
import { PartyPage } from './PartyPage';

const TREE = [
  aUnit('Rajasthan', {
    level: 'state',
    groups: 9,
    children: [
      aUnit('Ajmer', { level: 'division', children: [aUnit('Nagaur'), aUnit('Tonk')] }),
      aUnit('Bikaner', { level: 'division' }),
      aUnit('Jaipur', { level: 'division', children: [aUnit('Alwar'), aUnit('Dausa')] }),
    ],
  }),
];

function details(unit: TestUnit | undefined) {
  return unit && { ...unit, subtreeCount: 1 + unit.childCount, ancestors: [], groups: { nodes: [], pageInfo: { hasNextPage: false } } };
}

function aGateway(resolvers: Record<string, unknown> = {}) {
  const units = new Map([...TREE, ...(TREE[0]?.children ?? [])].map((unit) => [unit.id, unit]));
  return new WireGateway({
    units: unitsOf(TREE),
    unit: ({ id }: { id: string }) => details(units.get(id)),
    broadcasts: { nodes: [] },
    previewAudience: { groupCount: 3, memberCount: 300, snapshotId: 's', exclusions: [], byUnit: [] },
    ...resolvers,
  });
}

async function drawPage(gateway = aGateway(), language: 'en' | 'hi' = 'en') {
  const drawn = draw(<PartyPage />, { gateway, language });
  const tree = await screen.findByRole('tree');
  await within(tree).findByRole('treeitem', { name: /Jaipur/u });
  return { ...drawn, gateway, tree };
}

function rowOf(name: string): HTMLElement {
  return screen.getByRole('treeitem', { name: new RegExp(`^${name}`, 'u') });
}

/** The bar of a narrow screen has four buttons; then comes the tree, as one tab stop. */
async function enterTree(user: UserEvent) {
  await user.keyboard('{Tab}'.repeat(5));
}

function focusedName() {
  return document.activeElement?.querySelector('[class*="own"]')?.textContent;
}

function names() {
  return screen.getAllByRole('treeitem').map((row) => row.querySelector('[class*="own"]')?.textContent);
}

describe('the tree', () => {
  it('opens a single root by itself and loads nothing else', async () => {
    const { gateway } = await drawPage();
    expect(names()).toEqual(['Rajasthan', 'Ajmer', 'Bikaner', 'Jaipur']);
    expect(gateway.of('Children').map(({ variables }) => variables['parentId'])).toEqual([null, 'Rajasthan']);
  });

  it('tells its shape to assistive technology', async () => {
    await drawPage();
    expect(rowOf('Rajasthan').getAttribute('aria-expanded')).toBe('true');
    const jaipur = rowOf('Jaipur');
    expect(jaipur.getAttribute('aria-level')).toBe('2');
    expect(jaipur.getAttribute('aria-posinset')).toBe('3');
    expect(jaipur.getAttribute('aria-setsize')).toBe('3');
    expect(jaipur.getAttribute('aria-expanded')).toBe('false');
    expect(rowOf('Bikaner').hasAttribute('aria-expanded')).toBe(false);
  });

  it('is one tab stop, which moves with the arrow keys', async () => {
    const { user } = await drawPage();
    await enterTree(user);
    expect(focusedName()).toBe('Rajasthan');
    await user.keyboard('{ArrowDown}{ArrowDown}');
    expect(focusedName()).toBe('Bikaner');
    expect(screen.getAllByRole('treeitem').filter(({ tabIndex }) => tabIndex === 0)).toEqual([rowOf('Bikaner')]);
    await user.keyboard('{End}');
    expect(focusedName()).toBe('Jaipur');
    await user.keyboard('{ArrowDown}');
    expect(focusedName()).toBe('Jaipur');
    await user.keyboard('{Home}');
    expect(focusedName()).toBe('Rajasthan');
  });

  it('opens with the right arrow, goes in, comes out, and closes with the left', async () => {
    const { user, gateway } = await drawPage();
    await enterTree(user);
    await user.keyboard('{ArrowDown}{ArrowRight}');
    await screen.findByRole('treeitem', { name: /^Tonk/u });
    expect(focusedName()).toBe('Ajmer');
    await user.keyboard('{ArrowRight}');
    expect(focusedName()).toBe('Nagaur');
    await user.keyboard('{ArrowRight}');
    expect(focusedName()).toBe('Nagaur');
    await user.keyboard('{ArrowLeft}');
    expect(focusedName()).toBe('Ajmer');
    await user.keyboard('{ArrowLeft}');
    expect(rowOf('Ajmer').getAttribute('aria-expanded')).toBe('false');
    expect(screen.queryByRole('treeitem', { name: /^Tonk/u })).toBeNull();
    await user.keyboard('{ArrowLeft}');
    expect(focusedName()).toBe('Rajasthan');
    // Opened again, it is there without asking again.
    await user.keyboard('{ArrowDown}{ArrowRight}');
    expect(rowOf('Tonk')).toBeInstanceOf(HTMLElement);
    expect(gateway.of('Children').filter(({ variables }) => variables['parentId'] === 'Ajmer')).toHaveLength(1);
  });

  it('jumps to a name by its first letters, in the language shown', async () => {
    const { user } = await drawPage();
    await enterTree(user);
    await user.keyboard('b');
    expect(focusedName()).toBe('Bikaner');
  });

  it('shows a unit with Enter and ticks it with Space', async () => {
    const { user } = await drawPage();
    await enterTree(user);
    await user.keyboard('{End}{Enter}');
    expect(await screen.findByRole('heading', { name: /^Jaipur/u })).toBeInstanceOf(HTMLElement);
    expect(rowOf('Jaipur').getAttribute('aria-selected')).toBe('true');
    expect(rowOf('Jaipur').getAttribute('aria-checked')).toBe('false');
    await user.keyboard(' ');
    expect(rowOf('Jaipur').getAttribute('aria-checked')).toBe('true');
    expect(rowOf('Rajasthan').getAttribute('aria-checked')).toBe('mixed');
    expect(rowOf('Ajmer').getAttribute('aria-checked')).toBe('false');
  });

  it('makes the ticks the audience that is previewed', async () => {
    const { user, gateway } = await drawPage();
    await enterTree(user);
    await user.keyboard('{End} {ArrowRight}');
    await screen.findByRole('treeitem', { name: /^Dausa/u });
    await user.keyboard('{ArrowDown}{ArrowDown} ');
    expect(screen.getByText('without Dausa')).toBeInstanceOf(HTMLElement);
    await user.click(screen.getByRole('button', { name: 'Internal' }));
    await waitFor(() =>
      expect(gateway.of('Preview').at(-1)?.variables).toEqual({
        audience: { include: [{ unitIds: ['Jaipur'], kinds: ['internal'] }], exclude: [{ unitIds: ['Dausa'] }] },
        splitLevel: 'district',
      }),
    );
  });

  it('goes on with the next page where the first ends, and keeps the focus', async () => {
    const gateway = aGateway({ units: unitsOf(TREE, 2) });
    const { user } = draw(<PartyPage />, { gateway });
    const more = await screen.findByRole('treeitem', { name: 'Show more of Rajasthan' });
    await enterTree(user);
    await user.keyboard('{End}');
    expect(document.activeElement).toBe(more);
    await user.keyboard('{Enter}');
    await waitFor(() => expect(names()).toEqual(['Rajasthan', 'Ajmer', 'Bikaner', 'Jaipur']));
    await waitFor(() => expect(focusedName()).toBe('Jaipur'));
  });

  it('says when a branch did not load, and tries again', async () => {
    let down = true;
    const units = unitsOf(TREE);
    const gateway = aGateway({
      units: (args: { parentId?: string }) => {
        if (args.parentId === 'Ajmer' && down) throw refusal('SERVICE_UNAVAILABLE');
        return units(args);
      },
    });
    const { user } = await drawPage(gateway);
    await enterTree(user);
    await user.keyboard('{ArrowDown}{ArrowRight}');
    const failed = await screen.findByRole('treeitem', { name: /below Ajmer did not load/u });
    down = false;
    await user.click(failed);
    expect(await screen.findByRole('treeitem', { name: /^Tonk/u })).toBeInstanceOf(HTMLElement);
  });

  it('shows the units without their counts when the register does not answer', async () => {
    const roots = [{ ...aUnit('Rajasthan', { level: 'state' }), groupCounts: () => Promise.reject(refusal('SERVICE_UNAVAILABLE')) }];
    draw(<PartyPage />, { gateway: aGateway({ units: unitsOf(roots as unknown as readonly TestUnit[]) }) });
    expect(await screen.findByRole('treeitem', { name: /Rajasthan/u })).toBeInstanceOf(HTMLElement);
    expect(screen.getAllByText(/some figures are missing/u)[0]).toBeInstanceOf(HTMLElement);
  });

  it('has the counts once the register answers again, without a reload', async () => {
    let down = true;
    const ajmer = aUnit('Ajmer', { level: 'division' });
    const flaky = { ...ajmer, groupCounts: () => (down ? Promise.reject(refusal('SERVICE_UNAVAILABLE')) : ajmer.groupCounts) };
    const roots = [flaky, aUnit('Bikaner', { level: 'division' })] as unknown as readonly TestUnit[];
    const { user } = draw(<PartyPage />, { gateway: aGateway({ units: unitsOf(roots) }) });
    const panel = within(await screen.findByRole('region', { name: 'Organisation' }));
    await panel.findByText(/some figures are missing/u);
    down = false;
    await user.click(panel.getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(panel.queryByText(/some figures are missing/u)).toBeNull());
    expect(rowOf('Ajmer').textContent).toContain('100');
  });
});

describe('somebody who may only look', () => {
  it('is offered nothing to choose, and can still look at every unit', async () => {
    const { user } = draw(<PartyPage />, { gateway: aGateway(), organisation: anOrganisation(['view']) });
    await screen.findByRole('treeitem', { name: /^Jaipur/u });
    expect(document.querySelector('[data-part="tick"]')).toBeNull();
    expect(rowOf('Jaipur').hasAttribute('aria-checked')).toBe(false);
    expect(screen.queryByText('Kinds of group')).toBeNull();
    expect(screen.queryByText(/Space chooses/u)).toBeNull();
    expect(screen.getByText(/can look but not send/u)).toBeInstanceOf(HTMLElement);
    await enterTree(user);
    await user.keyboard('{End} ');
    expect(await screen.findByRole('heading', { name: /^Jaipur/u })).toBeInstanceOf(HTMLElement);
    expect(rowOf('Jaipur').hasAttribute('aria-checked')).toBe(false);
  });
});

describe('one unit', () => {
  it('is told to be gone when it is', async () => {
    await drawPage(aGateway({ unit: null }));
    expect(await screen.findByText('This unit is not there')).toBeInstanceOf(HTMLElement);
  });

  it.each(['by pressing the button', 'by coming back to it'])('is complete again %s once the register answers', async (way) => {
    let down = true;
    const unit = ({ id }: { id: string }) => {
      const found = details([...TREE, ...(TREE[0]?.children ?? [])].find((each) => each.id === id));
      return down ? { ...found, groupCounts: () => Promise.reject(refusal('SERVICE_UNAVAILABLE')) } : found;
    };
    const { user } = await drawPage(aGateway({ unit }));
    const panel = within(screen.getByRole('region', { name: 'Unit' }));
    await panel.findByText(/some figures are missing/u);
    down = false;
    if (way === 'by pressing the button') {
      await user.click(panel.getByRole('button', { name: 'Try again' }));
    } else {
      await user.click(screen.getByText('Jaipur'));
      await panel.findByRole('heading', { name: /^Jaipur/u });
      await user.click(screen.getByText('Rajasthan'));
      await panel.findByRole('heading', { name: /^Rajasthan/u });
    }
    await waitFor(() => expect(panel.queryByText(/some figures are missing/u)).toBeNull());
    expect(panel.getByText('900')).toBeInstanceOf(HTMLElement);
  });

  it('goes on saying that figures are missing while it asks for them again', async () => {
    const answers: (() => void)[] = [];
    let asked = 0;
    const unit = async ({ id }: { id: string }) => {
      asked += 1;
      if (asked > 1) await new Promise<void>((resolve) => answers.push(resolve));
      const found = details(TREE.find((each) => each.id === id));
      return asked > 1 ? found : { ...found, groupCounts: () => Promise.reject(refusal('SERVICE_UNAVAILABLE')) };
    };
    const { user } = await drawPage(aGateway({ unit }));
    const panel = within(screen.getByRole('region', { name: 'Unit' }));
    await user.click(await panel.findByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(answers).toHaveLength(1));
    expect(panel.getByText(/some figures are missing/u)).toBeInstanceOf(HTMLElement);
    answers[0]?.();
    await waitFor(() => expect(panel.queryByText(/some figures are missing/u)).toBeNull());
  });

  it('is shown in Hindi with the English name beside it', async () => {
    const jaipur = { ...aUnit('Jaipur', { level: 'state' }), name: named('Jaipur', 'जयपुर') };
    const gateway = aGateway({ units: unitsOf([jaipur]), unit: details(jaipur) });
    draw(<PartyPage />, { gateway, language: 'hi' });
    expect((await screen.findByRole('heading', { name: /जयपुर/u })).textContent).toBe('जयपुरJaipur');
    expect(screen.getByText('प्रदेश · कोड JAI')).toBeInstanceOf(HTMLElement);
  });
});
