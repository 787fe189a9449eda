import { useI18n } from '../i18n/I18n';
import type { BroadcastState } from './progress';
import styles from './Progress.module.css';

export function StateBadge({ state }: { state: BroadcastState }) {
  const { t } = useI18n();
  return (
    <span className={styles.badge} data-broadcast={state}>
      {t(`broadcastState.${state}`)}
    </span>
  );
}
