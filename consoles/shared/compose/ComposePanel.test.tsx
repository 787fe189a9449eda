import { act, screen, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';

import { draw } from '../testing/render';
import { refusal, WireGateway } from '../testing/gateway';
import { anOrganisation } from '../testing/organisation';
import { ComposePanel } from './ComposePanel';

const CHOICE = {
  audience: { include: [{ unitIds: ['jaipur'], kinds: ['internal'] }], exclude: [{ unitIds: ['dausa'] }] },
  splitLevel: 'district',
};
const PREVIEW = {
  groupCount: 1284,
  memberCount: 102345,
  snapshotId: 's',
  exclusions: [
    { reason: 'INCOMPLETE', groupCount: 9 },
    { reason: 'SOMETHING_NEW', groupCount: 1 },
  ],
  byUnit: [],
};

/** Answers a repeated request id with its first answer, as messaging does. */
function aGateway(resolvers: Record<string, unknown> = {}) {
  return new WireGateway({
    previewAudience: PREVIEW,
    createBroadcast: { __typename: 'CreateBroadcastSuccess', broadcast: { id: 'b1' } },
    startBroadcast: { __typename: 'StartBroadcastSuccess', broadcast: { id: 'b1', state: 'PLANNING' } },
    ...resolvers,
  });
}

function drawPanel(gateway: WireGateway, choice: typeof CHOICE | null = CHOICE, capabilities?: readonly string[]) {
  const onStarted = vi.fn<(id: string, level: string) => void>();
  const drawn = draw(<ComposePanel choice={choice} picker={null} onStarted={onStarted} />, {
    gateway,
    organisation: anOrganisation(capabilities),
  });
  return { ...drawn, onStarted };
}

async function writeAndReview({ user }: ReturnType<typeof drawPanel>) {
  await user.type(await screen.findByLabelText('Title'), 'Meeting');
  await user.type(screen.getByLabelText('Text in English'), 'Come at ten.');
  await user.click(screen.getByRole('button', { name: 'Review' }));
  return screen.findByRole('button', { name: 'Send to 1,284 groups' });
}

function requestIds(gateway: WireGateway, operation: string) {
  return gateway.of(operation).map(({ variables }) => (variables['input'] as { requestId: string }).requestId);
}

describe('composing', () => {
  it('says what is missing when a review is asked for, and not before', async () => {
    const { user } = drawPanel(aGateway(), null);
    expect(screen.queryByRole('alert')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Review' }));
    const problems = within(screen.getByRole('alert')).getAllByRole('listitem');
    expect(problems.map(({ textContent }) => textContent)).toEqual([
      'Choose whom it is for.',
      'Give the message a title.',
      'Write the text in at least one language.',
    ]);
  });

  it('shows what the choice reaches and what is left out, in words', async () => {
    drawPanel(aGateway());
    expect(await screen.findByText('1,284')).toBeInstanceOf(HTMLElement);
    expect(screen.getByText('9 category groups without a state-executive admin')).toBeInstanceOf(HTMLElement);
    expect(screen.getByText('1 group: SOMETHING_NEW')).toBeInstanceOf(HTMLElement);
  });

  it('says exactly how many groups before anything is made', async () => {
    const gateway = aGateway();
    await writeAndReview(drawPanel(gateway));
    expect(screen.getByText('This message goes to exactly 1,284 groups.')).toBeInstanceOf(HTMLElement);
    expect(gateway.of('CreateBroadcast')).toEqual([]);
  });

  it('sends exactly what was written to exactly what was chosen', async () => {
    const gateway = aGateway();
    const drawn = drawPanel(gateway);
    await drawn.user.click(await writeAndReview(drawn));
    await screen.findByText('On its way');
    const [createId] = requestIds(gateway, 'CreateBroadcast');
    const [startId] = requestIds(gateway, 'StartBroadcast');
    expect(gateway.of('CreateBroadcast').map(({ variables }) => variables)).toEqual([
      {
        input: {
          requestId: createId,
          title: 'Meeting',
          texts: [{ language: 'en', text: 'Come at ten.' }],
          audience: CHOICE.audience,
        },
      },
    ]);
    expect(gateway.of('StartBroadcast').map(({ variables }) => variables)).toEqual([{ input: { requestId: startId, broadcastId: 'b1' } }]);
    expect(drawn.onStarted).toHaveBeenCalledExactlyOnceWith('b1', 'district');
  });

  it('sends once when the button is pressed twice, also before it could be drawn as disabled', async () => {
    const gateway = aGateway();
    const button = await writeAndReview(drawPanel(gateway));
    act(() => {
      button.click();
      button.click();
    });
    await screen.findByText('On its way');
    expect(gateway.of('CreateBroadcast')).toHaveLength(1);
    expect(gateway.of('StartBroadcast')).toHaveLength(1);
  });

  it('tries again under the same ids when an answer was lost', async () => {
    const gateway = aGateway();
    gateway.loseAnswerOf('CreateBroadcast');
    gateway.loseAnswerOf('StartBroadcast');
    const drawn = drawPanel(gateway);
    await drawn.user.click(await writeAndReview(drawn));
    await screen.findByText('The gateway cannot be reached');
    // Nothing was started yet, so the text may still be changed.
    expect(screen.getByRole('button', { name: 'Back to the text' })).toHaveProperty('disabled', false);

    await drawn.user.click(screen.getByRole('button', { name: /never sent twice/u }));
    await screen.findByText(/start was already asked for/u);
    expect(screen.queryByRole('button', { name: 'Back to the text' })).toBeNull();

    await drawn.user.click(screen.getByRole('button', { name: /never sent twice/u }));
    await screen.findByText('On its way');
    expect(gateway.of('CreateBroadcast')).toHaveLength(3);
    expect(new Set(requestIds(gateway, 'CreateBroadcast')).size).toBe(1);
    expect(gateway.of('StartBroadcast')).toHaveLength(2);
    expect(new Set(requestIds(gateway, 'StartBroadcast')).size).toBe(1);
    expect(drawn.onStarted).toHaveBeenCalledOnce();
  });

  it('takes new ids for a text that was changed', async () => {
    const gateway = aGateway();
    gateway.loseAnswerOf('CreateBroadcast');
    const drawn = drawPanel(gateway);
    await drawn.user.click(await writeAndReview(drawn));
    await screen.findByText('The gateway cannot be reached');
    await drawn.user.click(screen.getByRole('button', { name: 'Back to the text' }));
    await drawn.user.type(screen.getByLabelText('Title'), ' two');
    await drawn.user.click(screen.getByRole('button', { name: 'Review' }));
    await drawn.user.click(await screen.findByRole('button', { name: 'Send to 1,284 groups' }));
    await screen.findByText('On its way');
    expect(new Set(requestIds(gateway, 'CreateBroadcast')).size).toBe(2);
  });

  it('counts a broadcast that was started already as sent', async () => {
    const gateway = aGateway({
      startBroadcast: { __typename: 'BroadcastAlreadyStarted', message: 'm', broadcast: { id: 'b1', state: 'RUNNING' } },
    });
    const drawn = drawPanel(gateway);
    await drawn.user.click(await writeAndReview(drawn));
    await screen.findByText('On its way');
    expect(drawn.onStarted).toHaveBeenCalledExactlyOnceWith('b1', 'district');
  });

  it('says what is wrong with an audience that is not valid any more', async () => {
    const violations = [
      { field: 'audience.include[0].unitIds[0]', reason: 'UNKNOWN_UNIT', description: 'no such unit' },
      { field: 'audience', reason: 'BRAND_NEW', description: 'said by the platform' },
    ];
    const gateway = aGateway({ createBroadcast: { __typename: 'InvalidAudience', message: 'm', violations } });
    const drawn = drawPanel(gateway);
    await drawn.user.click(await writeAndReview(drawn));
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('A chosen unit is not there any more.');
    expect(alert.textContent).toContain('said by the platform');
    expect(gateway.of('StartBroadcast')).toEqual([]);
  });

  it('shows the reference of a mistake of the platform', async () => {
    const gateway = aGateway({
      createBroadcast: () => {
        throw refusal('INTERNAL_SERVER_ERROR', { requestId: '0197-abc' });
      },
    });
    const drawn = drawPanel(gateway);
    await drawn.user.click(await writeAndReview(drawn));
    expect((await screen.findByRole('alert')).textContent).toContain('Reference: 0197-abc');
  });

  it('does not let a choice be sent that selects nothing', async () => {
    const gateway = aGateway({ previewAudience: { ...PREVIEW, groupCount: 0, memberCount: 0, exclusions: [] } });
    const drawn = drawPanel(gateway);
    await screen.findByText(/This choice selects no group/u);
    await drawn.user.type(screen.getByLabelText('Title'), 'Meeting');
    await drawn.user.type(screen.getByLabelText('Text in English'), 'Come.');
    await drawn.user.click(screen.getByRole('button', { name: 'Review' }));
    expect(screen.getByRole('alert').textContent).toContain('The choice selects no group.');
  });

  it('lets a role without the capability look, but neither choose nor write', () => {
    drawPanel(aGateway(), CHOICE, ['view']);
    expect(screen.getByText(/Your role can look but not send/u)).toBeInstanceOf(HTMLElement);
    expect(screen.queryByRole('button', { name: 'Review' })).toBeNull();
    expect(screen.queryByText('Reaches now')).toBeNull();
  });
});
