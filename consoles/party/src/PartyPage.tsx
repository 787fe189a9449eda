import { useCallback, useMemo, useState } from 'react';

import { useOrganisation } from '../../shared/app/organisation';
import { type Pane, PaneBar, PaneBody } from '../../shared/app/Panes';
import { ComposePanel } from '../../shared/compose/ComposePanel';
import { useI18n } from '../../shared/i18n/I18n';
import { ProgressPanel, type Watch } from '../../shared/progress/ProgressPanel';
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
  const [watch, setWatch] = useState<Watch | null>(null);
  const [pane, setPane] = useState<PaneKey>('tree');

  const choice = useMemo(() => choiceOf(selection, facets, blueprint), [selection, facets, blueprint]);
  const current = shown ?? tree.branches.get(ROOT)?.ids[0] ?? null;
  const show = useCallback((id: string) => {
    setShown(id);
    setPane('unit');
  }, []);
  const tick = useCallback(
    (id: string) => {
      const unit = tree.units.get(id);
      if (unit === undefined) return;
      setSelection((before) => toggle(before, { id, path: pathOf(tree, id), level: unit.level, name: unit.name }));
    },
    [tree],
  );
  const watchNow = useCallback((next: Watch) => {
    setWatch(next);
    setPane('progress');
  }, []);

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
        <PaneBody active={pane === 'unit'} className={styles.unit}>
          <UnitPanel id={current} onShow={show} />
        </PaneBody>
        <PaneBody active={pane === 'compose'} className={styles.compose}>
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
            onStarted={(id, splitLevel) => watchNow({ id, splitLevel })}
          />
        </PaneBody>
        <PaneBody active={pane === 'progress'} className={styles.progress}>
          <ProgressPanel watch={watch} splitLevel={blueprint.levels[2]?.key ?? null} onWatch={watchNow} />
        </PaneBody>
      </div>
    </>
  );
}
