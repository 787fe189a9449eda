import { useReducer, useRef } from 'react';
import { useClient } from 'urql';

import type { AudienceChoice } from '../audience/audience';
import { compose, WRITING } from './composeState';
import { type Draft, problemsOf, sealDraft } from './draft';
import { send } from './send';
import { newUuid } from './uuid';

/** Writing, confirming and sending one message; `onStarted` hears what was sent, and how to split it. */
export function useCompose(onStarted: (broadcastId: string, splitLevel: string) => void) {
  const client = useClient();
  const [state, change] = useReducer(compose, WRITING);
  // Set before any render, so that a second click within the same moment finds it.
  const sending = useRef(false);

  const review = (choice: AudienceChoice | null, groupCount: number | null) => {
    if (state.step !== 'write') return;
    const wrong = problemsOf(state.draft, choice, groupCount).length > 0;
    if (wrong || choice === null) change({ type: 'problemsShown' });
    else change({ type: 'sealed', sealed: sealDraft(state.draft, choice, newUuid) });
  };

  const sendNow = async () => {
    if (state.step !== 'confirm' || sending.current) return;
    sending.current = true;
    change({ type: 'sendBegan' });
    const outcome = await send(client, state.sealed, () => change({ type: 'startAsked' }));
    sending.current = false;
    if (outcome.kind === 'started') {
      change({ type: 'started', broadcastId: outcome.broadcastId });
      onStarted(outcome.broadcastId, state.sealed.choice.splitLevel);
    } else {
      change({ type: 'failed', failure: outcome });
    }
  };

  return {
    state,
    edit: (draft: Draft) => change({ type: 'edited', draft }),
    review,
    send: sendNow,
    reopen: () => change({ type: 'reopened' }),
    discard: () => change({ type: 'discarded' }),
  };
}

export type ComposeControl = ReturnType<typeof useCompose>;
