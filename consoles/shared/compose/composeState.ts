import { type Draft, EMPTY_DRAFT, type SealedDraft } from './draft';
import type { SendFailure } from './send';

export type ComposeState =
  | { readonly step: 'write'; readonly draft: Draft; readonly problemsShown: boolean }
  | {
      readonly step: 'confirm';
      readonly draft: Draft;
      readonly sealed: SealedDraft;
      readonly sending: boolean;
      /** The start was asked for at least once, so the draft may be running: no way back to the text. */
      readonly startAsked: boolean;
      readonly failure: SendFailure | null;
    }
  | { readonly step: 'sent'; readonly title: string; readonly broadcastId: string };

export type ComposeAction =
  | { readonly type: 'edited'; readonly draft: Draft }
  | { readonly type: 'problemsShown' }
  | { readonly type: 'sealed'; readonly sealed: SealedDraft }
  | { readonly type: 'reopened' }
  | { readonly type: 'sendBegan' }
  | { readonly type: 'startAsked' }
  | { readonly type: 'failed'; readonly failure: SendFailure }
  | { readonly type: 'started'; readonly broadcastId: string }
  | { readonly type: 'discarded' };

export const WRITING: ComposeState = { step: 'write', draft: EMPTY_DRAFT, problemsShown: false };

/** The way of a draft: write, confirm, sent. Actions that do not fit the step change nothing. */
export function compose(state: ComposeState, action: ComposeAction): ComposeState {
  if (action.type === 'discarded') return WRITING;
  if (state.step === 'write') {
    if (action.type === 'edited') return { ...state, draft: action.draft };
    if (action.type === 'problemsShown') return { ...state, problemsShown: true };
    if (action.type !== 'sealed') return state;
    return { step: 'confirm', draft: state.draft, sealed: action.sealed, sending: false, startAsked: false, failure: null };
  }
  if (state.step === 'sent') return state;
  switch (action.type) {
    case 'reopened':
      return state.sending || state.startAsked ? state : { step: 'write', draft: state.draft, problemsShown: false };
    case 'sendBegan':
      return { ...state, sending: true, failure: null };
    case 'startAsked':
      return { ...state, startAsked: true };
    case 'failed':
      return { ...state, sending: false, failure: action.failure };
    case 'started':
      return { step: 'sent', title: state.sealed.title, broadcastId: action.broadcastId };
    default:
      return state;
  }
}
