import { explain } from '../graphql/explain';
import type { Failure } from '../graphql/errors';
import { passes, useSelfRetry } from '../graphql/useSelfRetry';
import { useI18n } from '../i18n/I18n';
import { WarnIcon } from './Icon';
import styles from './ui.module.css';

interface Props {
  readonly failure: Failure;
  readonly onRetry?: () => void;
  readonly retryLabel?: string;
  /** Whether the failed operation may have sent something. */
  readonly sending?: boolean;
}

/** What went wrong in words, what to do, and the reference that an administrator needs. */
export function ErrorNote({ failure, onRetry, retryLabel, sending = false }: Props) {
  const { t } = useI18n();
  const byItself = onRetry !== undefined && !sending && passes(failure);
  useSelfRetry(byItself, () => onRetry?.());
  const { title, hint, details } = explain(failure, t, sending);
  return (
    <div className={styles.error} role="alert">
      <p className={styles.errorTitle}>
        <WarnIcon />
        {title}
      </p>
      <p>
        {hint} {byItself && t('app.retrying')}
      </p>
      {details.length > 0 && (
        <ul className={styles.details}>
          {details.map((detail) => (
            <li key={detail}>{detail}</li>
          ))}
        </ul>
      )}
      {failure.requestId !== null && <p className={styles.reference}>{t('error.reference', { id: failure.requestId })}</p>}
      {onRetry !== undefined && (
        <button type="button" className="button" onClick={onRetry}>
          {retryLabel ?? t('app.retry')}
        </button>
      )}
    </div>
  );
}
