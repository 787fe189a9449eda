import { act, cleanup, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { draw } from '../testing/render';
import { WireGateway } from '../testing/gateway';
import { anOrganisation, named } from '../testing/organisation';
import type { Counts, Progress } from './progress';
import { ProgressPanel } from './ProgressPanel';
import { RecentPanel } from './RecentPanel';
import { useWatch } from './useWatch';

const { viewer, blueprint } = anOrganisation();
const LEVELS = ['centre', 'state', 'division', 'district', 'mandal', 'shakti_kendra', 'booth'];
const SEVEN_LEVELS = { viewer, blueprint: { ...blueprint, levels: LEVELS.map((key) => ({ key, name: named(key) })) } };

const NONE: Counts = { total: 100, planned: 0, dispatched: 0, accepted: 0, delivered: 0, read: 0, skipped: 0, failed: 0 };

function look(seconds: number, counts: Partial<Counts>, change: Partial<Progress> = {}): { broadcastProgress: Progress } {
  const all = { ...NONE, ...counts };
  return {
    broadcastProgress: {
      broadcastId: 'b1',
      state: 'RUNNING',
      version: String(seconds),
      readAt: new Date(Date.UTC(2026, 10, 23, 10, 0, seconds)).toISOString(),
      counts: all,
      byUnit: [{ level: 'division', unit: { id: 'jaipur', name: named('Jaipur') }, counts: all }],
      ...change,
    },
  };
}

const BROADCAST = {
  id: 'b1',
  title: 'Meeting',
  transport: 'whatsapp',
  state: 'RUNNING',
  author: 'composer',
  createdAt: '2026-11-23T10:00:00Z',
  startedAt: '2026-11-23T10:00:00Z',
  completedAt: null,
  failureReason: null,
  progress: { version: '0', counts: { ...NONE, planned: 100 } },
};

function Panels() {
  const control = useWatch();
  return (
    <>
      <ProgressPanel control={control} />
      <RecentPanel control={control} splitLevel="division" onWatch={control.setWatch} />
    </>
  );
}

async function watch(broadcast: Record<string, unknown> = BROADCAST) {
  const deliveries = {
    nodes: [{ state: 'FAILED', attemptCount: 2, reason: 'NUMBER_BLOCKED', group: { id: 'g', code: 'g', name: named('Jaipur traders'), unit: null } }],
    pageInfo: { hasNextPage: false },
  };
  const gateway = new WireGateway({ broadcasts: { nodes: [broadcast] }, broadcast: { ...broadcast, deliveries } });
  const { user } = draw(<Panels />, { gateway, organisation: SEVEN_LEVELS });
  await user.click(await screen.findByRole('button', { name: /^Meeting/u }));
  await waitFor(() => expect(gateway.watchers).toHaveLength(1));
  const tell = (data: Record<string, unknown>) => act(() => gateway.publish(data));
  return { gateway, user, tell, panel: within(screen.getByRole('region', { name: 'Progress' })) };
}

describe('watching a broadcast', () => {
  it('asks for the split it was given', async () => {
    const { gateway } = await watch();
    expect(gateway.watchers[0]?.variables).toEqual({ id: 'b1', splitLevel: 'division', withinUnitId: null });
  });

  it('says that a simulated broadcast leaves nowhere, and only of a simulated one', async () => {
    const { panel, user } = await watch();
    expect(panel.queryByText(/nothing leaves this machine/u)).toBeNull();
    await user.click(panel.getByRole('button', { name: 'Close' }));
    cleanup();
    const simulated = await watch({ ...BROADCAST, transport: 'simulator' });
    expect(simulated.panel.getByText('Simulated: nothing leaves this machine.')).toBeInstanceOf(HTMLElement);
  });

  it('shows every look as it comes, by numbers and not by colour alone', async () => {
    const { tell, panel } = await watch();
    tell(look(1, { planned: 60, accepted: 30, delivered: 10 }));
    expect(panel.getByText('10%')).toBeInstanceOf(HTMLElement);
    expect(panel.getByRole('img', { name: 'All deliveries: delivered 10, accepted 30, planned 60' })).toBeInstanceOf(HTMLElement);
    tell(look(2, { delivered: 50, read: 40, skipped: 4, failed: 6 }));
    expect(panel.getByText('90%')).toBeInstanceOf(HTMLElement);
    expect(panel.getByRole('img', { name: /^Jaipur: read 40, delivered 50, skipped 4, failed 6$/u })).toBeInstanceOf(HTMLElement);
  });

  it('never goes backwards when an older look comes late', async () => {
    const { tell, panel } = await watch();
    tell(look(5, { delivered: 50, planned: 50 }));
    tell(look(3, { delivered: 30, planned: 70 }));
    expect(panel.getByText('50%')).toBeInstanceOf(HTMLElement);
  });

  it('keeps the row of the list as fresh as the bar', async () => {
    const { tell } = await watch();
    tell(look(1, { delivered: 20, planned: 80 }));
    const recent = within(screen.getByRole('region', { name: 'Recent broadcasts' }));
    expect(recent.getByText('20 of 100')).toBeInstanceOf(HTMLElement);
  });

  it('says the end at once to a screen reader', async () => {
    const { tell, panel } = await watch();
    tell(look(9, { delivered: 94, skipped: 2, failed: 4 }, { state: 'COMPLETED' }));
    await waitFor(() => expect(panel.getByRole('status').textContent).toBe('Over: 94 of 100 arrived, 4 failed, 2 left out.'));
  });

  it('looks into a unit, and back out', async () => {
    const { tell, panel, user, gateway } = await watch();
    tell(look(1, { planned: 100 }));
    await user.click(panel.getByRole('button', { name: 'Jaipur' }));
    await waitFor(() => expect(gateway.watchers[0]?.variables).toEqual({ id: 'b1', splitLevel: 'district', withinUnitId: 'jaipur' }));
    await user.click(panel.getByRole('button', { name: 'Whole broadcast' }));
    await waitFor(() => expect(gateway.watchers[0]?.variables).toEqual({ id: 'b1', splitLevel: 'division', withinUnitId: null }));
  });

  it('offers no split that could be ten thousand rows', async () => {
    const { tell, panel, user } = await watch();
    const offered = () => [...panel.getByRole<HTMLSelectElement>('combobox').options].map(({ value }) => value);
    tell(look(1, { planned: 100 }));
    expect(offered()).toEqual(['', 'centre', 'state', 'division', 'district', 'mandal']);
    await user.click(panel.getByRole('button', { name: 'Jaipur' }));
    expect(offered()).toEqual(['', 'district', 'mandal']);
  });

  it('names what did not arrive, and why, when asked', async () => {
    const { tell, panel, user, gateway } = await watch();
    tell(look(1, { delivered: 99, failed: 1 }));
    expect(gateway.of('Undelivered')).toEqual([]);
    await user.click(panel.getByText('What did not arrive, and why'));
    expect(await panel.findByText('Jaipur traders')).toBeInstanceOf(HTMLElement);
    expect(panel.getByText(/number blocked/u)).toBeInstanceOf(HTMLElement);
  });

  it('says why a broadcast could not be planned', async () => {
    const { tell, panel } = await watch({ ...BROADCAST, state: 'FAILED', failureReason: 'AUDIENCE_SELECTS_NOTHING' });
    tell(look(1, { total: 0 }, { state: 'FAILED', byUnit: [] }));
    expect(panel.getByText(/could not be planned: AUDIENCE_SELECTS_NOTHING/u)).toBeInstanceOf(HTMLElement);
  });
});
