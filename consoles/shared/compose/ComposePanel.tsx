import { type ReactNode, useEffect, useRef } from 'react';

import { canCompose, useOrganisation } from '../app/organisation';
import type { AudienceChoice } from '../audience/audience';
import { PreviewCard } from '../audience/PreviewCard';
import { usePreview } from '../audience/usePreview';
import { useI18n } from '../i18n/I18n';
import { ConfirmStep } from './ConfirmStep';
import styles from './Compose.module.css';
import { DraftForm } from './DraftForm';
import { SentStep } from './SentStep';
import { type ComposeControl, useCompose } from './useCompose';

interface Props {
  readonly choice: AudienceChoice | null;
  /** How the choice is shown and changed; each console has its own way. */
  readonly picker: ReactNode;
  readonly onStarted: (broadcastId: string, splitLevel: string) => void;
}

function WriteStep({ choice, picker, control }: Omit<Props, 'onStarted'> & { control: ComposeControl }) {
  const answer = usePreview(choice);
  const groupCount = answer.stale ? null : (answer.preview?.groupCount ?? null);
  return (
    <>
      {picker}
      {choice !== null && <PreviewCard answer={answer} />}
      <DraftForm control={control} choice={choice} groupCount={groupCount} />
    </>
  );
}

/** Writes a message to the choice, asks once more, sends it, and says that it is on its way. */
export function ComposePanel({ choice, picker, onStarted }: Props) {
  const { t } = useI18n();
  const { viewer } = useOrganisation();
  const allowed = canCompose(viewer);
  const control = useCompose(onStarted);
  const { state } = control;
  const body = useRef<HTMLDivElement>(null);
  const shownStep = useRef(state.step);

  // A new step replaces the button that was pressed: focus goes to where reading goes on.
  useEffect(() => {
    if (shownStep.current === state.step) return;
    shownStep.current = state.step;
    body.current?.focus({ preventScroll: true });
  }, [state.step]);

  return (
    <section className="panel" aria-labelledby="compose-heading">
      <div className="panel-head">
        <h2 id="compose-heading">{t('compose.title')}</h2>
      </div>
      <div ref={body} className={`panel-body ${styles.body}`} tabIndex={-1}>
        {!allowed && <p className={styles.note}>{t('compose.noCompose')}</p>}
        {allowed && state.step === 'write' && <WriteStep choice={choice} picker={picker} control={control} />}
        {state.step === 'confirm' && <ConfirmStep state={state} control={control} />}
        {state.step === 'sent' && <SentStep title={state.title} onAnother={control.discard} />}
      </div>
    </section>
  );
}
