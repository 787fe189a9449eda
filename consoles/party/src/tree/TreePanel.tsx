import { DegradedNote } from '../../../shared/ui/DegradedNote';
import { Empty } from '../../../shared/ui/Empty';
import { ErrorNote } from '../../../shared/ui/ErrorNote';
import { canCompose, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import type { Selection } from '../audience/selection';
import { ROOT } from './tree';
import styles from './TreePanel.module.css';
import { UnitTree } from './UnitTree';
import type { TreeControl } from './useTree';

interface Props {
  readonly control: TreeControl;
  readonly selection: Selection;
  readonly current: string | null;
  readonly onShow: (id: string) => void;
  readonly onToggle: (id: string) => void;
}

/** The organisation on the left: a heading, what could go wrong, and the tree. */
export function TreePanel(props: Props) {
  const { t } = useI18n();
  const { viewer } = useOrganisation();
  const { tree, loadMore, degraded, complete } = props.control;
  const root = tree.branches.get(ROOT);
  const empty = root !== undefined && root.ids.length === 0;
  return (
    <section className={`panel ${styles.panel}`} aria-labelledby="tree-heading">
      <div className={`panel-head ${styles.head}`}>
        <h2 id="tree-heading">{t('tree.title')}</h2>
        <span className={styles.columns}>{t('tree.columns')}</span>
      </div>
      {degraded && (
        <div className={styles.note}>
          <DegradedNote onRetry={complete} />
        </div>
      )}
      <div className={styles.scroll}>
        {empty && root.failure !== null && <ErrorNote failure={root.failure} onRetry={() => loadMore(ROOT)} />}
        {empty && root.failure === null && !root.loading && <Empty title={t('tree.empty')}>{t('tree.emptyHint')}</Empty>}
        {(!empty || root.loading) && <UnitTree {...props} />}
      </div>
      <p className={styles.help}>{t(canCompose(viewer) ? 'tree.help' : 'tree.helpLook')}</p>
    </section>
  );
}
