import { type CSSProperties, memo } from 'react';

import { useI18n } from '../../../shared/i18n/I18n';
import type { CellCounts } from './figures';
import styles from './Grid.module.css';

interface Props {
  readonly row: number;
  readonly column: number;
  /** Undefined where nothing can be chosen. */
  readonly chosen: boolean | undefined;
  readonly tabbable: boolean;
  readonly unit: string;
  readonly category: string;
  /** Null when the register did not answer. */
  readonly counts: CellCounts | null;
  /** The most members of any cell: its shade is the darkest. */
  readonly most: number;
}

/** One crossing: its groups and members, shaded by how many members; a crossing without groups is a gap. */
export const CountCell = memo(function CountCell({ row, column, chosen, tabbable, unit, category, counts, most }: Props) {
  const { t, number } = useI18n();
  const gap = counts?.groupCount === 0;
  const place = { 'data-row': row, 'data-column': column, tabIndex: tabbable ? 0 : -1, 'aria-selected': chosen };
  if (counts === null) {
    return (
      <td {...place} className={styles.cell} title={t('figure.unknown')}>
        –
      </td>
    );
  }
  const label = gap
    ? t('grid.gapCell', { category, unit })
    : t('grid.cell', {
        category,
        unit,
        groups: t('count.groups', { count: counts.groupCount }),
        members: t('count.members', { count: counts.memberCount }),
      });
  return (
    <td
      {...place}
      className={styles.cell}
      data-gap={gap}
      title={gap ? t('grid.gapOf', { category }) : label}
      style={{ '--share': counts.memberCount / most } as CSSProperties}
    >
      <span className="visually-hidden">{label}</span>
      {gap ? (
        <span aria-hidden="true" className={styles.gap}>
          {t('grid.gap')}
        </span>
      ) : (
        <span aria-hidden="true">
          <span className={styles.groups}>{number(counts.groupCount)}</span>
          <span className={styles.members}>{number(counts.memberCount)}</span>
        </span>
      )}
    </td>
  );
});
