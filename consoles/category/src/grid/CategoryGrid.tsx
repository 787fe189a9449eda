import { type KeyboardEvent, type MouseEvent, useMemo, useRef, useState } from 'react';

import { canCompose, nameOf, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import type { UnitRow } from '../../../shared/units/children';
import { type Cell, cellKey, type Cells } from './cells';
import { CountCell } from './CountCell';
import styles from './Grid.module.css';
import { countsOf, mostMembers, totalOf } from './figures';
import { Heading } from './Heading';
import { spotAfter, type Spot } from './keyboard';

interface Props {
  readonly units: readonly UnitRow[];
  readonly level: string;
  readonly chosen: Cells;
  readonly onToggle: (cells: readonly Cell[]) => void;
}

function spotOf(element: Element | null): Spot | null {
  const cell = element?.closest<HTMLElement>('[data-row]');
  return cell ? { row: Number(cell.dataset['row']), column: Number(cell.dataset['column']) } : null;
}

/**
 * Categories across, units down, as an ARIA grid with one tab stop. Space or a click chooses a
 * cell, a row or column by its heading, everything by the corner; who may not send only looks.
 */
export function CategoryGrid({ units, level, chosen, onToggle }: Props) {
  const { t, name } = useI18n();
  const { blueprint, viewer } = useOrganisation();
  const choosable = canCompose(viewer);
  const { categories } = blueprint;
  const table = useRef<HTMLTableElement>(null);
  const [spot, setSpot] = useState<Spot>({ row: 1, column: 1 });
  const most = useMemo(() => mostMembers(units), [units]);
  const size = { rows: units.length + 1, columns: categories.length + 1 };

  const cellsAt = ({ row, column }: Spot): readonly Cell[] => {
    const rows = row === 0 ? units : units.slice(row - 1, row);
    const columns = column === 0 ? categories : categories.slice(column - 1, column);
    return rows.flatMap((unit) => columns.map(({ key }) => ({ unitId: unit.id, category: key })));
  };
  const allChosen = (at: Spot) => cellsAt(at).every((cell) => chosen.has(cellKey(cell)));
  const focus = (next: Spot) => {
    setSpot(next);
    table.current?.querySelector<HTMLElement>(`[data-row="${next.row}"][data-column="${next.column}"]`)?.focus();
  };

  const choose = (at: Spot) => {
    if (choosable) onToggle(cellsAt(at));
  };

  const onKeyDown = (event: KeyboardEvent) => {
    const at = spotOf(event.target as Element);
    if (at === null || event.altKey || event.metaKey) return;
    const next = spotAfter(event.key, event.ctrlKey, at, size);
    if (next !== null) focus(next);
    else if (event.key === ' ' || event.key === 'Enter') choose(at);
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent) => {
    const at = spotOf(event.target as Element);
    if (at === null) return;
    focus(at);
    choose(at);
  };

  const place = (row: number, column: number) => ({
    row,
    column,
    chosen: choosable ? allChosen({ row, column }) : undefined,
    // Rows may have gone since the focus was there.
    tabbable: Math.min(spot.row, units.length) === row && spot.column === column,
  });
  return (
    <div className={styles.scroll}>
      <table
        ref={table}
        className={styles.grid}
        role="grid"
        aria-multiselectable={choosable || undefined}
        data-choosable={choosable}
        aria-label={t(choosable ? 'grid.label' : 'grid.labelLook', { level: name(nameOf(blueprint.levels, level)) })}
        onKeyDown={onKeyDown}
        onClick={onClick}
        onFocus={(event) => setSpot(spotOf(event.target) ?? spot)}
      >
        <thead>
          <tr>
            <Heading {...place(0, 0)} scope="col" label={t('grid.everything')} />
            {categories.map((category, index) => (
              <Heading
                key={category.key}
                {...place(0, index + 1)}
                scope="col"
                label={name(category.name)}
                hint={t('grid.column', { category: name(category.name) })}
                total={totalOf(units, category.key)}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {units.map((unit, index) => (
            <tr key={unit.id}>
              <Heading
                {...place(index + 1, 0)}
                scope="row"
                label={name(unit.name)}
                hint={t('grid.row', { unit: name(unit.name) })}
              />
              {categories.map((category, at) => (
                <CountCell
                  key={category.key}
                  {...place(index + 1, at + 1)}
                  category={name(category.name)}
                  unit={name(unit.name)}
                  counts={countsOf(unit, category.key)}
                  most={most}
                />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
