import { Exclusions } from '../audience/PreviewCard';
import { usePreview } from '../audience/usePreview';
import { failureOf } from '../graphql/errors';
import { useI18n } from '../i18n/I18n';
import { LANGUAGE_NAMES } from '../i18n/translate';
import { ErrorNote } from '../ui/ErrorNote';
import type { ComposeState } from './composeState';
import styles from './Compose.module.css';
import type { SealedDraft } from './draft';
import { SendFailureNote } from './SendFailureNote';
import type { ComposeControl } from './useCompose';

type Confirming = Extract<ComposeState, { step: 'confirm' }>;

function Message({ sealed }: { sealed: SealedDraft }) {
  return (
    <div className={styles.message}>
      <h4>{sealed.title}</h4>
      {sealed.texts.map(({ language, text }) => (
        <figure key={language}>
          <figcaption>{LANGUAGE_NAMES[language]}</figcaption>
          <blockquote lang={language}>{text}</blockquote>
        </figure>
      ))}
    </div>
  );
}

/** Says exactly how many groups get what, and sends only when told to. */
export function ConfirmStep({ state, control }: { state: Confirming; control: ComposeControl }) {
  const { t } = useI18n();
  const { sealed, sending, startAsked, failure } = state;
  // Counted anew: the organisation may have changed while the text was written.
  const { preview, stale, error, again } = usePreview(sealed.choice, 'network-only');
  const count = stale ? null : (preview?.groupCount ?? null);
  const ready = count !== null && count > 0 && !sending;
  return (
    <div className={styles.confirm}>
      <h3>{t('confirm.title')}</h3>
      <div aria-live="polite" className={styles.exactly}>
        {count === null && error === undefined && <p>{t('confirm.counting')}</p>}
        {count !== null && <p className={styles.count}>{t('confirm.exactly', { count })}</p>}
        {preview !== null && !stale && <p>{t('confirm.people', { count: preview.memberCount })}</p>}
      </div>
      {error !== undefined && <ErrorNote failure={failureOf(error)} onRetry={again} />}
      {preview !== null && <Exclusions exclusions={preview.exclusions} />}
      <Message sealed={sealed} />
      {failure !== null && <SendFailureNote failure={failure} />}
      {startAsked && failure !== null && <p className={styles.note}>{t('confirm.locked')}</p>}
      {!startAsked && <p className={styles.hint}>{t('confirm.cannotUndo')}</p>}
      <div className={styles.actions}>
        {startAsked ? (
          <button type="button" className="button" onClick={control.discard} disabled={sending}>
            {t('confirm.discard')}
          </button>
        ) : (
          <button type="button" className="button" onClick={control.reopen} disabled={sending}>
            {t('confirm.back')}
          </button>
        )}
        <button type="button" className="button primary" onClick={control.send} disabled={startAsked ? sending : !ready} aria-busy={sending}>
          {sending && t('confirm.sending')}
          {!sending && failure !== null && t('confirm.retry')}
          {!sending && failure === null && t('confirm.send', { count: count ?? 0 })}
        </button>
      </div>
    </div>
  );
}
