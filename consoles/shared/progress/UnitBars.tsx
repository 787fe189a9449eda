import { useState } from 'react';

import { useI18n } from '../i18n/I18n';
import { arrivedOf, type Progress, underWayOf } from './progress';
import styles from './Progress.module.css';
import { StackedBar } from './StackedBar';

type Row = Progress['byUnit'][number];

const ROWS_SHOWN = 60;

interface Props {
  readonly rows: readonly Row[];
  /** Looks into one unit; null when there is no level below. */
  readonly onInto: ((unit: NonNullable<Row['unit']>) => void) | null;
}

function UnitBar({ row, onInto }: { row: Row; onInto: Props['onInto'] }) {
  const { t, name, number } = useI18n();
  const { unit, counts } = row;
  const own = unit ? name(unit.name) : '–';
  const lost = counts.failed + counts.skipped;
  return (
    <tr>
      <th scope="row">
        {unit && onInto ? (
          <button type="button" className={styles.into} title={t('progress.into', { name: own })} onClick={() => onInto(unit)}>
            {own}
          </button>
        ) : (
          own
        )}
      </th>
      <td className={styles.barCell}>
        <StackedBar counts={counts} name={own} />
      </td>
      <td className={styles.number}>{t('progress.of', { part: arrivedOf(counts), total: counts.total })}</td>
      <td className={styles.number}>{number(underWayOf(counts))}</td>
      <td className={styles.number} data-lost={lost > 0}>
        {number(lost)}
      </td>
    </tr>
  );
}

/** One row for each unit of the split: its bar and its numbers. */
export function UnitBars({ rows, onInto }: Props) {
  const { t } = useI18n();
  const [all, setAll] = useState(false);
  const shown = all ? rows : rows.slice(0, ROWS_SHOWN);
  return (
    <>
      <div className={styles.unitScroll}>
        <table className={styles.units}>
          <thead>
            <tr>
              <th scope="col">{t('progress.unit')}</th>
              <th scope="col">
                <span className="visually-hidden">{t('progress.title')}</span>
              </th>
              <th scope="col" className={styles.number}>
                {t('progress.arrived')}
              </th>
              <th scope="col" className={styles.number}>
                {t('progress.underWay')}
              </th>
              <th scope="col" className={styles.number}>
                {t('progress.notSent')}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <UnitBar key={row.unit?.id ?? index} row={row} onInto={onInto} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < rows.length && (
        <button type="button" className="button quiet" onClick={() => setAll(true)}>
          {t('progress.showAll', { count: rows.length })}
        </button>
      )}
    </>
  );
}
