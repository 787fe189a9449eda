import { useEffect, useState } from 'react';

import { type Blueprint, levelBelow, nameOf, useOrganisation } from '../app/organisation';
import { failureOf } from '../graphql/errors';
import { useI18n } from '../i18n/I18n';
import type { LocalizedName } from '../i18n/localized';
import { ErrorNote } from '../ui/ErrorNote';
import { Skeleton } from '../ui/Skeleton';
import { arrivedOf, isOver, type Progress, underWayOf } from './progress';
import styles from './Progress.module.css';
import { SplitBar } from './SplitBar';
import { Legend, StackedBar } from './StackedBar';
import { Undelivered } from './Undelivered';
import { UnitBars } from './UnitBars';
import { useProgress } from './useProgress';
import { useSpoken } from './useSpoken';
import type { Live } from './useWatch';

/** Where one looks: the split, and the unit that was looked into. */
export interface Lens {
  readonly level: string | null;
  readonly within: { readonly id: string; readonly level: string; readonly name: LocalizedName } | null;
}

function Spoken({ progress }: { progress: Progress }) {
  const { t } = useI18n();
  const { counts } = progress;
  const over = isOver(progress.state);
  const figures = { arrived: arrivedOf(counts), total: counts.total, failed: counts.failed, skipped: counts.skipped };
  const text = over ? t('progress.over', figures) : t('progress.summary', { ...figures, underWay: underWayOf(counts) });
  const spoken = useSpoken(text, over);
  return (
    <p className="visually-hidden" role="status">
      {spoken}
    </p>
  );
}

function Headline({ progress }: { progress: Progress }) {
  const { t, percent } = useI18n();
  const { counts, state } = progress;
  if (state === 'PLANNING' || counts.total === 0) return <p className={styles.planning}>{t('progress.planning')}</p>;
  return (
    <p className={styles.headline}>
      <strong>{percent(arrivedOf(counts) / counts.total)}</strong>
      <span>
        {t('progress.arrived')}: {t('progress.of', { part: arrivedOf(counts), total: counts.total })}
      </span>
    </p>
  );
}

function canLookInto(blueprint: Blueprint, level: string | null): level is string {
  return level !== null && levelBelow(blueprint, level) !== level;
}

interface Props {
  readonly id: string;
  readonly splitLevel: string | null;
  readonly failureReason: string | null;
  /** Hears each new look at the whole broadcast. */
  readonly onLive: (live: Live) => void;
}

/** One broadcast as it arrives: a bar for all, and one for each unit of the split. */
export function BroadcastProgress({ id, splitLevel, failureReason, onLive }: Props) {
  const { t, name } = useI18n();
  const { blueprint } = useOrganisation();
  const [lens, setLens] = useState<Lens>({ level: splitLevel, within: null });
  const { progress, error } = useProgress(id, lens.level, lens.within?.id ?? null);
  const state = progress?.state;
  const whole = lens.within === null;
  useEffect(() => {
    if (progress !== null && whole) onLive({ id, state: progress.state, counts: progress.counts });
  }, [progress, whole, id, onLive]);

  const into = (unit: { id: string; name: LocalizedName }) => {
    if (lens.level !== null) setLens({ level: levelBelow(blueprint, lens.level), within: { ...unit, level: lens.level } });
  };
  return (
    <div className={styles.broadcast}>
      {error !== null && <ErrorNote failure={failureOf(error)} />}
      {progress === null && error === null && <Skeleton rows={4} label={t('progress.waiting')} />}
      {state === 'FAILED' && (
        <p className={styles.failed}>{t('progress.failedReason', { reason: failureReason ?? '–' })}</p>
      )}
      {progress !== null && state !== 'FAILED' && (
        <>
          <Headline progress={progress} />
          <StackedBar counts={progress.counts} name={lens.within === null ? t('progress.all') : name(lens.within.name)} large />
          <Legend counts={progress.counts} />
          <Spoken progress={progress} />
        </>
      )}
      {state !== 'FAILED' && <SplitBar lens={lens} onChange={setLens} start={splitLevel} />}
      {progress !== null && progress.byUnit.length > 0 && (
        <UnitBars
          key={name(nameOf(blueprint.levels, lens.level ?? ''))}
          rows={progress.byUnit}
          onInto={canLookInto(blueprint, lens.level) ? into : null}
        />
      )}
      {progress !== null && progress.counts.failed + progress.counts.skipped > 0 && (
        <Undelivered id={id} within={lens.within?.id ?? null} />
      )}
    </div>
  );
}
