import { useSelfRetry } from '../graphql/useSelfRetry';
import { useI18n } from '../i18n/I18n';
import styles from './ui.module.css';

/** Stands over figures of which some are missing, and asks for them until they are there. */
export function DegradedNote({ onRetry, busy = false }: { onRetry: () => void; busy?: boolean }) {
  const { t } = useI18n();
  useSelfRetry(!busy, onRetry);
  return (
    <div className={styles.degraded} role="status">
      <p>{t('app.degraded')}</p>
      <button type="button" className="button" aria-busy={busy} onClick={onRetry}>
        {t('app.retry')}
      </button>
    </div>
  );
}
