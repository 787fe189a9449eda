import { nameOf, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import { DegradedNote } from '../../../shared/ui/DegradedNote';
import { Empty } from '../../../shared/ui/Empty';
import { ErrorNote } from '../../../shared/ui/ErrorNote';
import { Skeleton } from '../../../shared/ui/Skeleton';
import { CategoryGrid } from './CategoryGrid';
import type { Cell, Cells } from './cells';
import { gapCount } from './figures';
import type { GridAnswer } from './gridData';
import styles from './Grid.module.css';

interface Props {
  readonly answer: GridAnswer | null;
  readonly level: string;
  readonly chosen: Cells;
  readonly onToggle: (cells: readonly Cell[]) => void;
  readonly onRetry: () => void;
}

function Body({ answer, level, chosen, onToggle, onRetry }: Props) {
  const { t } = useI18n();
  const { blueprint } = useOrganisation();
  if (answer === null) return <Skeleton rows={8} label={t('app.loading')} />;
  if ('failure' in answer) return <ErrorNote failure={answer.failure} onRetry={onRetry} />;
  const { units, degraded } = answer.data;
  if (units.length === 0 || blueprint.categories.length === 0) {
    return <Empty title={t('grid.empty')}>{t('grid.emptyHint')}</Empty>;
  }
  return (
    <>
      {degraded && (
        <div className={styles.note}>
          <DegradedNote onRetry={onRetry} />
        </div>
      )}
      <CategoryGrid units={units} level={level} chosen={chosen} onToggle={onToggle} />
    </>
  );
}

/** The cross-cut: which categories have groups in which units, and where there is none. */
export function GridPanel(props: Props) {
  const { t, name } = useI18n();
  const { blueprint } = useOrganisation();
  const { answer, level } = props;
  const levelName = name(nameOf(blueprint.levels, level));
  const gaps = answer !== null && 'data' in answer ? gapCount(answer.data.units, blueprint.categories) : null;
  return (
    <section className={`panel ${styles.panel}`} aria-labelledby="grid-heading">
      <div className={`panel-head ${styles.head}`}>
        <h2 id="grid-heading">{t('grid.titleOf', { level: levelName })}</h2>
        {gaps !== null && gaps > 0 && <span className={styles.gaps}>{t('grid.gaps', { count: gaps })}</span>}
        {gaps === 0 && <span className={styles.noGaps}>{t('grid.noGaps', { level: levelName })}</span>}
      </div>
      <Body {...props} />
      <p className={styles.help}>{t('grid.help')}</p>
    </section>
  );
}
