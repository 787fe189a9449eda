import { memo } from 'react';

import { useI18n } from '../../../shared/i18n/I18n';
import type { CellCounts } from './figures';
import styles from './Grid.module.css';

interface Props {
  readonly row: number;
  readonly column: number;
  /** Undefined where nothing can be chosen. */
  readonly chosen: boolean | undefined;
  readonly tabbable: boolean;
  readonly scope: 'row' | 'col';
  readonly label: string;
  /** What choosing it means, when the label alone does not say. */
  readonly hint?: string;
  readonly total?: CellCounts;
}

/** A heading that chooses all cells of its row or column. */
export const Heading = memo(function Heading({ row, column, chosen, tabbable, scope, label, hint, total }: Props) {
  const { t, number } = useI18n();
  return (
    <th
      role={scope === 'row' ? 'rowheader' : 'columnheader'}
      scope={scope}
      className={scope === 'row' ? styles.rowHeading : styles.columnHeading}
      data-row={row}
      data-column={column}
      tabIndex={tabbable ? 0 : -1}
      aria-selected={chosen}
      title={hint}
    >
      <span>{label}</span>
      {total !== undefined && (
        <span className={styles.total}>
          {t('count.groups', { count: total.groupCount })}
          <span className={styles.members}>{number(total.memberCount)}</span>
        </span>
      )}
    </th>
  );
});
