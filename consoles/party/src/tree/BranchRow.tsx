import type { CSSProperties } from 'react';

import { useI18n } from '../../../shared/i18n/I18n';
import type { LocalizedName } from '../../../shared/i18n/localized';
import type { BranchTreeRow } from './rows';
import styles from './Tree.module.css';

/** Stands where children are loading, go on, or failed to load. */
export function BranchRow({ row, tabbable, parent }: { row: BranchTreeRow; tabbable: boolean; parent: LocalizedName }) {
  const { t, name } = useI18n();
  const texts = {
    loading: t('app.loading'),
    more: t('tree.more', { name: name(parent) }),
    failed: t('tree.failed', { name: name(parent) }),
  };
  return (
    <div
      role="treeitem"
      className={styles.branch}
      style={{ '--depth': row.depth } as CSSProperties}
      data-key={row.key}
      data-kind={row.kind}
      tabIndex={tabbable ? 0 : -1}
      aria-level={row.depth}
      aria-selected={false}
      aria-busy={row.kind === 'loading'}
    >
      {texts[row.kind]}
      {row.kind === 'failed' && <span className={styles.retry}>{t('app.retry')}</span>}
    </div>
  );
}
