import { useI18n } from '../i18n/I18n';
import type { RecentBroadcast } from './broadcasts';
import { arrivedOf } from './progress';
import styles from './Progress.module.css';
import { StackedBar } from './StackedBar';
import { StateBadge } from './StateBadge';

interface Props {
  readonly broadcasts: readonly RecentBroadcast[];
  readonly watched: string | null;
  readonly onWatch: (id: string) => void;
}

/** The broadcasts, newest first; pressing one watches it. */
export function RecentBroadcasts({ broadcasts, watched, onWatch }: Props) {
  const { t, when } = useI18n();
  return (
    <ul className={styles.recent}>
      {broadcasts.map(({ id, title, state, author, createdAt, startedAt, progress: { counts } }) => (
        <li key={id}>
          <button type="button" className={styles.recentButton} aria-current={id === watched ? 'true' : undefined} onClick={() => onWatch(id)}>
            <span className={styles.recentTitle}>{title}</span>
            <StateBadge state={state} />
            <span className={styles.fine}>
              {startedAt ? t('progress.started', { when: when(startedAt) }) : t('progress.created', { when: when(createdAt) })} ·{' '}
              {t('progress.by', { author })}
            </span>
            {counts.total > 0 && (
              <span className={styles.fine}>{t('progress.of', { part: arrivedOf(counts), total: counts.total })}</span>
            )}
          </button>
          {counts.total > 0 && <StackedBar counts={counts} name={title} />}
        </li>
      ))}
    </ul>
  );
}
