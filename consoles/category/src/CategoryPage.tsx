import { useCallback, useMemo, useState } from 'react';

import { useOrganisation } from '../../shared/app/organisation';
import { type Pane, PaneBar, PaneBody, usePane } from '../../shared/app/Panes';
import { ComposePanel } from '../../shared/compose/ComposePanel';
import { useI18n } from '../../shared/i18n/I18n';
import { ProgressPanel } from '../../shared/progress/ProgressPanel';
import { RecentPanel } from '../../shared/progress/RecentPanel';
import { useWatch, type Watch } from '../../shared/progress/useWatch';
import styles from './CategoryPage.module.css';
import { CategoryPicker } from './CategoryPicker';
import { type Cell, NO_CELLS, termsOfCells, toggleCells } from './grid/cells';
import { rowLevel } from './grid/gridData';
import { GridPanel } from './grid/GridPanel';
import { useGrid } from './grid/useGrid';

type PaneKey = 'grid' | 'compose' | 'progress';

/** A cross-cut: categories by district, the message to what was chosen there, and what arrives. */
export function CategoryPage() {
  const { t } = useI18n();
  const { blueprint } = useOrganisation();
  const level = rowLevel(blueprint);
  const { answer, again } = useGrid(blueprint, level);
  const [chosen, setChosen] = useState(NO_CELLS);
  const watching = useWatch();
  const { setWatch } = watching;
  const [pane, setPane] = usePane<PaneKey>('grid');

  const terms = useMemo(() => termsOfCells(chosen), [chosen]);
  const choice = useMemo(
    () => (terms.length === 0 ? null : { audience: { include: [...terms] }, splitLevel: level }),
    [terms, level],
  );
  const toggle = useCallback((cells: readonly Cell[]) => setChosen((before) => toggleCells(before, cells)), []);
  const watch = useCallback(
    (next: Watch) => {
      setWatch(next);
      setPane('progress');
    },
    [setWatch, setPane],
  );

  const panes: readonly Pane<PaneKey>[] = [
    { key: 'grid', label: t('pane.grid') },
    { key: 'compose', label: t('pane.compose'), badge: chosen.size },
    { key: 'progress', label: t('pane.progress') },
  ];
  const units = answer !== null && 'data' in answer ? answer.data.units : [];
  return (
    <>
      <PaneBar panes={panes} active={pane} onActivate={setPane} />
      <div className={styles.page}>
        <PaneBody active={pane === 'grid'} className={styles.grid}>
          <GridPanel answer={answer} level={level} chosen={chosen} onToggle={toggle} onRetry={again} />
        </PaneBody>
        <div className={styles.side}>
          <PaneBody active={pane === 'progress'}>
            <ProgressPanel control={watching} />
          </PaneBody>
          <PaneBody active={pane === 'compose'}>
            <ComposePanel
              choice={choice}
              picker={
                <CategoryPicker terms={terms} cellCount={chosen.size} units={units} onClear={() => setChosen(NO_CELLS)} />
              }
              onStarted={(id, splitLevel) => watch({ id, splitLevel })}
            />
          </PaneBody>
          <PaneBody active={pane === 'progress'}>
            <RecentPanel control={watching} splitLevel={level} onWatch={watch} />
          </PaneBody>
        </div>
      </div>
    </>
  );
}
