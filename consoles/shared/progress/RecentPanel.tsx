import { failureOf } from '../graphql/errors';
import { useI18n } from '../i18n/I18n';
import { Empty } from '../ui/Empty';
import { ErrorNote } from '../ui/ErrorNote';
import { Skeleton } from '../ui/Skeleton';
import type { RecentBroadcast } from './broadcasts';
import { arrivedOf } from './progress';
import styles from './Progress.module.css';
import { StackedBar } from './StackedBar';
import { StateBadge } from './StateBadge';
import './states.css';
import type { Watch, WatchControl } from './useWatch';

function Row({ broadcast, watched, onWatch }: { broadcast: RecentBroadcast; watched: boolean; onWatch: () => void }) {
  const { t, when } = useI18n();
  const { title, state, createdAt, startedAt, progress } = broadcast;
  const { counts } = progress;
  return (
    <li>
      <button type="button" className={styles.recentButton} aria-current={watched ? 'true' : undefined} onClick={onWatch}>
        <span className={styles.recentTitle}>{title}</span>
        <StateBadge state={state} />
        <span className={styles.fine}>
          {startedAt ? t('progress.started', { when: when(startedAt) }) : t('progress.created', { when: when(createdAt) })}
        </span>
        {counts.total > 0 && (
          <span className={`${styles.fine} ${styles.number}`}>{t('progress.of', { part: arrivedOf(counts), total: counts.total })}</span>
        )}
      </button>
      {counts.total > 0 && <StackedBar counts={counts} name={title} />}
    </li>
  );
}

interface Props {
  readonly control: WatchControl;
  /** The level a broadcast of the list is split by at first. */
  readonly splitLevel: string | null;
  readonly onWatch: (watch: Watch) => void;
}

/** The broadcasts, newest first; pressing one watches it. */
export function RecentPanel({ control, splitLevel, onWatch }: Props) {
  const { t } = useI18n();
  const { watch, live } = control;
  const { broadcasts, error, fetching, refresh } = control.recent;
  // The list is as old as its last look; the watched one is known better.
  const asLive = (broadcast: RecentBroadcast): RecentBroadcast =>
    live?.id === broadcast.id
      ? { ...broadcast, state: live.state, progress: { ...broadcast.progress, counts: live.counts } }
      : broadcast;
  return (
    <section className="panel" aria-labelledby="recent-heading">
      <div className="panel-head">
        <h2 id="recent-heading">{t('progress.recent')}</h2>
      </div>
      <div className="panel-body">
        {broadcasts === undefined && fetching && <Skeleton rows={3} label={t('app.loading')} />}
        {broadcasts === undefined && !fetching && error !== undefined && <ErrorNote failure={failureOf(error)} onRetry={refresh} />}
        {broadcasts?.length === 0 && <Empty title={t('progress.noRecent')}>{t('progress.noRecentHint')}</Empty>}
        <ul className={styles.recent}>
          {broadcasts?.map((broadcast) => (
            <Row
              key={broadcast.id}
              broadcast={asLive(broadcast)}
              watched={broadcast.id === watch?.id}
              onWatch={() => onWatch({ id: broadcast.id, splitLevel })}
            />
          ))}
        </ul>
      </div>
    </section>
  );
}
