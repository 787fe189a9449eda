import { useCallback, useMemo, useState } from 'react';

import { overviewLevel, useOrganisation } from '../../shared/app/organisation';
import { type Pane, PaneBar, PaneBody, usePane } from '../../shared/app/Panes';
import { ComposePanel } from '../../shared/compose/ComposePanel';
import { useI18n } from '../../shared/i18n/I18n';
import { ProgressPanel } from '../../shared/progress/ProgressPanel';
import { RecentPanel } from '../../shared/progress/RecentPanel';
import { useWatch, type Watch } from '../../shared/progress/useWatch';
import { choiceOf, NO_FACETS } from './audience/choice';
import { PartyPicker } from './audience/PartyPicker';
import { NOTHING_CHOSEN, toggle } from './audience/selection';
import styles from './PartyPage.module.css';
import { pathOf, ROOT } from './tree/tree';
import { TreePanel } from './tree/TreePanel';
import { useTree } from './tree/useTree';
import { UnitPanel } from './unit/UnitPanel';

type PaneKey = 'tree' | 'unit' | 'compose' | 'progress';

/** A tree of command: the units on the left, one unit and what is on its way, and the message. */
export function PartyPage() {
  const { t } = useI18n();
  const { blueprint } = useOrganisation();
  const control = useTree();
  const { tree } = control;
  const [selection, setSelection] = useState(NOTHING_CHOSEN);
  const [facets, setFacets] = useState(NO_FACETS);
  const [shown, setShown] = useState<string | null>(null);
  const watching = useWatch();
  const { setWatch } = watching;
  const [pane, setPane] = usePane<PaneKey>('tree');

  const choice = useMemo(() => choiceOf(selection, facets, blueprint, tree), [selection, facets, blueprint, tree]);
  const current = shown ?? tree.branches.get(ROOT)?.ids[0] ?? null;
  const show = useCallback(
    (id: string) => {
      setShown(id);
      setPane('unit');
    },
    [setPane],
  );
  const tick = useCallback(
    (id: string) => {
      const unit = tree.units.get(id);
      if (unit === undefined) return;
      setSelection((before) => toggle(before, { id, path: pathOf(tree, id), level: unit.level, name: unit.name }));
    },
    [tree],
  );
  const watch = useCallback(
    (next: Watch) => {
      setWatch(next);
      setPane('progress');
    },
    [setWatch, setPane],
  );

  const panes: readonly Pane<PaneKey>[] = [
    { key: 'tree', label: t('pane.tree') },
    { key: 'unit', label: t('pane.unit') },
    { key: 'compose', label: t('pane.compose'), badge: [...selection.values()].filter(({ mark }) => mark === 'in').length },
    { key: 'progress', label: t('pane.progress') },
  ];
  return (
    <>
      <PaneBar panes={panes} active={pane} onActivate={setPane} />
      <div className={styles.page}>
        <PaneBody active={pane === 'tree'} className={styles.tree}>
          <TreePanel control={control} selection={selection} current={current} onShow={show} onToggle={tick} />
        </PaneBody>
        <div className={styles.columns}>
          <div className={styles.column}>
            <PaneBody active={pane === 'progress'}>
              <ProgressPanel control={watching} />
            </PaneBody>
            <PaneBody active={pane === 'unit'}>
              <UnitPanel id={current} onShow={show} />
            </PaneBody>
          </div>
          <div className={styles.column}>
            <PaneBody active={pane === 'compose'}>
              <ComposePanel
                choice={choice}
                picker={
                  <PartyPicker
                    selection={selection}
                    onToggle={(mark) => setSelection((before) => toggle(before, mark))}
                    onClear={() => setSelection(NOTHING_CHOSEN)}
                    facets={facets}
                    onFacets={setFacets}
                  />
                }
                onStarted={(id, splitLevel) => watch({ id, splitLevel })}
              />
            </PaneBody>
            <PaneBody active={pane === 'progress'}>
              <RecentPanel control={watching} splitLevel={overviewLevel(blueprint)} onWatch={watch} />
            </PaneBody>
          </div>
        </div>
      </div>
    </>
  );
}
