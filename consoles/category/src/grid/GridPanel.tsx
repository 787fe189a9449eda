import { useState } from 'react';

import { canCompose, nameOf, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import { DegradedNote } from '../../../shared/ui/DegradedNote';
import { Empty } from '../../../shared/ui/Empty';
import { ErrorNote } from '../../../shared/ui/ErrorNote';
import { Skeleton } from '../../../shared/ui/Skeleton';
import { CategoryGrid } from './CategoryGrid';
import type { Cell, Cells } from './cells';
import { gapCount, hasGap } from './figures';
import type { GridAnswer } from './gridData';
import styles from './Grid.module.css';

interface Props {
  readonly answer: GridAnswer | null;
  readonly level: string;
  readonly chosen: Cells;
  readonly onToggle: (cells: readonly Cell[]) => void;
  readonly onRetry: () => void;
}

function Body({ answer, level, chosen, onToggle, onRetry, onlyGaps }: Props & { onlyGaps: boolean }) {
  const { t } = useI18n();
  const { blueprint } = useOrganisation();
  if (answer === null) return <Skeleton rows={8} label={t('app.loading')} />;
  if ('failure' in answer) return <ErrorNote failure={answer.failure} onRetry={onRetry} />;
  const { units, degraded } = answer.data;
  if (units.length === 0 || blueprint.categories.length === 0) {
    return <Empty title={t('grid.empty')}>{t('grid.emptyHint')}</Empty>;
  }
  const shown = onlyGaps ? units.filter((unit) => hasGap(unit, blueprint.categories)) : units;
  return (
    <>
      {degraded && (
        <div className={styles.note}>
          <DegradedNote onRetry={onRetry} />
        </div>
      )}
      <CategoryGrid units={shown} level={level} chosen={chosen} onToggle={onToggle} />
    </>
  );
}

/** The cross-cut: which categories have groups in which units, and where there is none. */
export function GridPanel(props: Props) {
  const { t, name } = useI18n();
  const { blueprint, viewer } = useOrganisation();
  const { answer, level } = props;
  const [wanted, setWanted] = useState(false);
  const levelName = name(nameOf(blueprint.levels, level));
  const gaps = answer !== null && 'data' in answer ? gapCount(answer.data.units, blueprint.categories) : null;
  // Without a gap there is no button to show all rows again.
  const onlyGaps = wanted && gaps !== null && gaps > 0;
  return (
    <section className={`panel ${styles.panel}`} aria-labelledby="grid-heading">
      <div className={`panel-head ${styles.head}`}>
        <h2 id="grid-heading">{t('grid.titleOf', { level: levelName })}</h2>
        {gaps !== null && gaps > 0 && (
          <button
            type="button"
            className={styles.gaps}
            aria-pressed={onlyGaps}
            title={t('grid.onlyGaps')}
            onClick={() => setWanted(!onlyGaps)}
          >
            {t('grid.gaps', { count: gaps })}
          </button>
        )}
        {gaps === 0 && <span className={styles.noGaps}>{t('grid.noGaps', { level: levelName })}</span>}
      </div>
      <Body {...props} onlyGaps={onlyGaps} />
      <p className={styles.help}>{t(canCompose(viewer) ? 'grid.help' : 'grid.helpLook')}</p>
    </section>
  );
}
