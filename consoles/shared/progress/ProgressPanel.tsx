import { useCallback, useEffect } from 'react';
import { useQuery } from 'urql';

import { failureOf } from '../graphql/errors';
import { useI18n } from '../i18n/I18n';
import { Empty } from '../ui/Empty';
import { ErrorNote } from '../ui/ErrorNote';
import { Skeleton } from '../ui/Skeleton';
import { BroadcastProgress } from './BroadcastProgress';
import { BroadcastsQuery, RECENT, type RecentBroadcast } from './broadcasts';
import { isOver } from './progress';
import styles from './Progress.module.css';
import { RecentBroadcasts } from './RecentBroadcasts';
import { StateBadge } from './StateBadge';
import './states.css';

/** The broadcast that is watched, and how it is split at first. */
export interface Watch {
  readonly id: string;
  readonly splitLevel: string | null;
}

// The watched one is live; the others of the list are looked at anew while any of them runs.
const REFRESH_MS = 10_000;

function useRecent() {
  const [{ data, error, fetching }, again] = useQuery({
    query: BroadcastsQuery,
    variables: { first: RECENT },
    requestPolicy: 'cache-and-network',
  });
  const broadcasts = data?.broadcasts.nodes;
  const refresh = useCallback(() => again({ requestPolicy: 'network-only' }), [again]);
  const running = broadcasts?.some(({ state }) => state !== 'DRAFT' && !isOver(state)) ?? false;
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') refresh();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, [running, refresh]);
  return { broadcasts, error, fetching, refresh };
}

function Heading({ broadcast }: { broadcast: RecentBroadcast | undefined }) {
  const { t } = useI18n();
  return (
    <div className="panel-head">
      <h2 id="progress-heading">{t('progress.title')}</h2>
      {broadcast !== undefined && <StateBadge state={broadcast.state} />}
    </div>
  );
}

interface Props {
  readonly watch: Watch | null;
  /** The level a broadcast of the list is split by. */
  readonly splitLevel: string | null;
  readonly onWatch: (watch: Watch) => void;
}

/** What is on its way, live, and what was sent before. */
export function ProgressPanel({ watch, splitLevel, onWatch }: Props) {
  const { t } = useI18n();
  const { broadcasts, error, fetching, refresh } = useRecent();
  const watched = broadcasts?.find(({ id }) => id === watch?.id);
  return (
    <section className="panel" aria-labelledby="progress-heading">
      <Heading broadcast={watched} />
      <div className={`panel-body ${styles.body}`}>
        {watch === null ? (
          <Empty title={t('progress.none')}>{t('progress.noneHint')}</Empty>
        ) : (
          <>
            {watched !== undefined && <h3 className={styles.title}>{watched.title}</h3>}
            <BroadcastProgress
              key={watch.id}
              {...watch}
              failureReason={watched?.failureReason ?? null}
              onState={refresh}
            />
          </>
        )}
        <div>
          <h3 className={styles.section}>{t('progress.recent')}</h3>
          {broadcasts === undefined && fetching && <Skeleton rows={3} label={t('app.loading')} />}
          {broadcasts === undefined && !fetching && error !== undefined && <ErrorNote failure={failureOf(error)} onRetry={refresh} />}
          {broadcasts?.length === 0 && <Empty title={t('progress.noRecent')}>{t('progress.noRecentHint')}</Empty>}
          {broadcasts !== undefined && (
            <RecentBroadcasts
              broadcasts={broadcasts}
              watched={watch?.id ?? null}
              onWatch={(id) => onWatch({ id, splitLevel })}
            />
          )}
        </div>
      </div>
    </section>
  );
}
