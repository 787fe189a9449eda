import { type KeyboardEvent, type MouseEvent, useEffect, useMemo, useRef, useState } from 'react';

import { canCompose, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import { Skeleton } from '../../../shared/ui/Skeleton';
import { type Selection, tickOf, unitsAboveMarks } from '../audience/selection';
import { BranchRow } from './BranchRow';
import { commandOf, findByName, type TreeCommand } from './keyboard';
import type { TreeRow } from './rows';
import { pathOf } from './tree';
import styles from './Tree.module.css';
import { UnitRowView } from './UnitRowView';
import type { TreeControl } from './useTree';
import { useTypeAhead } from './useTypeAhead';

interface Props {
  readonly control: TreeControl;
  readonly selection: Selection;
  /** The unit whose details are shown. */
  readonly current: string | null;
  readonly onShow: (id: string) => void;
  readonly onToggle: (id: string) => void;
}

function partOf(target: EventTarget): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>('[data-part]')?.dataset['part'] : undefined;
}

function keyOf(target: EventTarget): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>('[data-key]')?.dataset['key'] : undefined;
}

/**
 * The units as an ARIA tree: one tab stop, arrow keys, Home and End, letters to jump. Enter shows a
 * unit (`aria-selected`), Space ticks it for the message (`aria-checked`) where one may send.
 */
export function UnitTree({ control, selection, current, onShow, onToggle }: Props) {
  const { t, name } = useI18n();
  const { blueprint, viewer } = useOrganisation();
  const choosable = canCompose(viewer);
  const { tree, rows, open, close, loadMore } = control;
  const container = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<string | null>(null);
  const above = useMemo(() => unitsAboveMarks(selection), [selection]);
  const typed = useTypeAhead();
  const index = Math.max(0, rows.findIndex(({ key }) => key === focused));
  const lastIndex = useRef(0);

  const elementOf = (key: string) =>
    [...(container.current?.querySelectorAll<HTMLElement>('[data-key]') ?? [])].find((element) => element.dataset['key'] === key);
  const focus = (key: string) => {
    setFocused(key);
    elementOf(key)?.focus();
  };

  // "Show more" vanishes when all is there: go on with the first row that took its place.
  useEffect(() => {
    const gone = focused !== null && !rows.some(({ key }) => key === focused);
    const next = rows[Math.min(lastIndex.current, rows.length - 1)];
    if (gone && next !== undefined && document.activeElement === document.body) focus(next.key);
    if (!gone) lastIndex.current = index;
  });

  const activate = (row: TreeRow) => {
    if (row.kind === 'unit') onShow(row.key);
    else if (row.kind !== 'loading') loadMore(row.parent);
  };
  const choose = (row: TreeRow) => (row.kind === 'unit' && choosable ? onToggle(row.key) : activate(row));

  const carryOut = (command: TreeCommand, row: TreeRow) => {
    if (command.type === 'focus') focus(command.key);
    else if (command.type === 'open') open(command.id);
    else if (command.type === 'close') close(command.id);
    else if (command.type === 'activate') activate(row);
    else choose(row);
  };

  const nameOfRow = (row: TreeRow) => (row.kind === 'unit' ? name(row.unit.name) : '');
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[index];
    if (row === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const letters = event.key.length === 1 && event.key !== ' ' ? typed(event.key) : null;
    const command =
      letters === null ? commandOf(event.key, rows, index) : findByName(rows, index, letters, nameOfRow);
    if (command === null) return;
    event.preventDefault();
    carryOut(command, row);
  };

  const onClick = (event: MouseEvent) => {
    const row = rows.find(({ key }) => key === keyOf(event.target));
    if (row === undefined) return;
    focus(row.key);
    const part = partOf(event.target);
    if (part === 'tick') choose(row);
    else if (part === 'chevron' && row.kind === 'unit') (row.open ? close : open)(row.key);
    else activate(row);
  };

  if (rows.length === 0) return <Skeleton rows={8} label={t('app.loading')} />;
  return (
    <div
      ref={container}
      className={styles.tree}
      role="tree"
      tabIndex={-1}
      aria-label={t(choosable ? 'tree.label' : 'tree.labelLook')}
      onKeyDown={onKeyDown}
      onClick={onClick}
      // Assistive technology may put the focus on a row by itself.
      onFocus={(event) => setFocused(keyOf(event.target) ?? null)}
    >
      {rows.map((row, at) =>
        row.kind === 'unit' ? (
          <UnitRowView
            key={row.key}
            unit={row.unit}
            depth={row.depth}
            open={row.open}
            position={row.position}
            siblings={row.siblings}
            choosable={choosable}
            {...tickOf(selection, above, row.key, pathOf(tree, row.key))}
            shown={row.key === current}
            tabbable={at === index}
            levels={blueprint.levels}
          />
        ) : (
          <BranchRow key={row.key} row={row} tabbable={at === index} parent={tree.units.get(row.parent)?.name ?? blueprint.name} />
        ),
      )}
    </div>
  );
}
