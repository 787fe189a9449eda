import { type CSSProperties, memo } from 'react';

import { type Blueprint, nameOf } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import { CheckIcon, ChevronIcon, DashIcon, WarnIcon } from '../../../shared/ui/Icon';
import type { TickState } from '../audience/selection';
import type { UnitTreeRow } from './rows';
import styles from './Tree.module.css';

type Props = Pick<UnitTreeRow, 'unit' | 'depth' | 'open' | 'position' | 'siblings'> & TickState & {
  /** Whether its details are on the screen. */
  readonly shown: boolean;
  readonly tabbable: boolean;
  /** Whether it can be ticked for a message. */
  readonly choosable: boolean;
  readonly levels: Blueprint['levels'];
};

function Counts({ counts }: { counts: UnitTreeRow['unit']['groupCounts'] }) {
  const { t, number } = useI18n();
  if (!counts) {
    return (
      <span className={styles.counts} title={t('figure.unknown')}>
        –
      </span>
    );
  }
  const incomplete = counts.byFlag.find(({ flag }) => flag === 'INCOMPLETE')?.groupCount ?? 0;
  return (
    <span className={styles.counts}>
      {incomplete > 0 && (
        <span className={styles.warn} title={t('tree.incomplete', { count: incomplete })}>
          <WarnIcon />
          <span className="visually-hidden">{t('tree.incomplete', { count: incomplete })}</span>
        </span>
      )}
      <span className={styles.groups}>{number(counts.groupCount)}</span>
      <span className={styles.members}>{number(counts.memberCount)}</span>
    </span>
  );
}

const CHECKED = { true: true, false: false, mixed: 'mixed' } as const;

function Tick({ name: own, tick, blockedBy }: TickState & { name: string }) {
  const { t, name } = useI18n();
  const hint =
    blockedBy === null
      ? t('tree.choose', { name: own })
      : t('tree.blocked', { name: own, parent: name(blockedBy.name) });
  return (
    <span
      className={styles.tick}
      data-part="tick"
      data-tick={tick}
      data-blocked={blockedBy !== null}
      title={hint}
      aria-hidden="true"
    >
      <span className={styles.box}>
        {tick === 'true' && <CheckIcon />}
        {tick === 'mixed' && <DashIcon />}
      </span>
    </span>
  );
}

/** One unit of the tree. Presses and clicks are handled by the tree as a whole. */
export const UnitRowView = memo(function UnitRowView(props: Props) {
  const { unit, depth, open, position, siblings, tick, blockedBy, shown, tabbable, choosable, levels } = props;
  const { name } = useI18n();
  const own = name(unit.name);
  return (
    <div
      role="treeitem"
      className={styles.row}
      style={{ '--depth': depth } as CSSProperties}
      data-key={unit.id}
      tabIndex={tabbable ? 0 : -1}
      aria-level={depth}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-expanded={unit.childCount > 0 ? open : undefined}
      aria-selected={shown}
      aria-checked={choosable ? CHECKED[tick] : undefined}
    >
      <span className={styles.chevron} data-part={unit.childCount > 0 ? 'chevron' : undefined} aria-hidden="true">
        {unit.childCount > 0 && <ChevronIcon />}
      </span>
      {choosable && <Tick name={own} tick={tick} blockedBy={blockedBy} />}
      <span className={styles.name}>
        <span className={styles.own}>{own}</span>
        <span className={styles.level}>{name(nameOf(levels, unit.level))}</span>
      </span>
      <Counts counts={unit.groupCounts} />
    </div>
  );
});
