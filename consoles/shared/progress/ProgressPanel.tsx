import { useEffect, useRef } from 'react';

import { useI18n } from '../i18n/I18n';
import { CrossIcon } from '../ui/Icon';
import { BroadcastProgress } from './BroadcastProgress';
import type { RecentBroadcast } from './broadcasts';
import styles from './Progress.module.css';
import { StateBadge } from './StateBadge';
import './states.css';
import type { WatchControl } from './useWatch';

// The transport that plays deliveries instead of making them.
const SIMULATOR = 'simulator';

function Facts({ broadcast }: { broadcast: RecentBroadcast }) {
  const { t, when } = useI18n();
  const { author, createdAt, startedAt, completedAt } = broadcast;
  const facts = [
    startedAt ? t('progress.started', { when: when(startedAt) }) : t('progress.created', { when: when(createdAt) }),
    t('progress.by', { author }),
  ];
  if (startedAt && completedAt) {
    facts.push(t('progress.took', { seconds: Math.round((Date.parse(completedAt) - Date.parse(startedAt)) / 1000) }));
  }
  return <p className={styles.fine}>{facts.join(' · ')}</p>;
}

/** One broadcast on its way, live; nothing when none is watched. */
export function ProgressPanel({ control }: { control: WatchControl }) {
  const { t } = useI18n();
  const { watch, setWatch, live, onLive, recent } = control;
  const panel = useRef<HTMLElement>(null);
  const id = watch?.id ?? null;
  // It may stand above what is on the screen, such as the button that sent it.
  useEffect(() => {
    if (id !== null) panel.current?.scrollIntoView({ block: 'nearest' });
  }, [id]);
  if (watch === null) return null;
  const broadcast = recent.broadcasts?.find((each) => each.id === watch.id);
  const state = live?.id === watch.id ? live.state : broadcast?.state;
  return (
    <section ref={panel} className="panel" aria-labelledby="progress-heading">
      <div className="panel-head">
        <h2 id="progress-heading">{t('progress.title')}</h2>
        {state !== undefined && <StateBadge state={state} />}
        <button type="button" className={`button quiet ${styles.close}`} aria-label={t('app.close')} onClick={() => setWatch(null)}>
          <CrossIcon />
        </button>
      </div>
      <div className={`panel-body ${styles.body}`}>
        {broadcast !== undefined && (
          <div>
            <h3 className={styles.title}>{broadcast.title}</h3>
            <Facts broadcast={broadcast} />
            {broadcast.transport === SIMULATOR && <p className={styles.simulated}>{t('progress.simulated')}</p>}
          </div>
        )}
        <BroadcastProgress
          key={watch.id}
          {...watch}
          failureReason={broadcast?.failureReason ?? null}
          onLive={onLive}
        />
      </div>
    </section>
  );
}
