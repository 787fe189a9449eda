import { useQuery } from 'urql';

import { failureOf } from '../../../shared/graphql/errors';
import { useI18n } from '../../../shared/i18n/I18n';
import { DegradedNote } from '../../../shared/ui/DegradedNote';
import { Empty } from '../../../shared/ui/Empty';
import { ErrorNote } from '../../../shared/ui/ErrorNote';
import { Skeleton } from '../../../shared/ui/Skeleton';
import { OwnGroupsTable } from './OwnGroupsTable';
import styles from './Unit.module.css';
import { UnitFigures } from './UnitFigures';
import { UnitHeading } from './UnitHeading';
import { OWN_GROUPS, UnitQuery } from './unitQuery';

function Details({ id, onShow }: { id: string; onShow: (id: string) => void }) {
  const { t } = useI18n();
  const [{ data, error, fetching }, again] = useQuery({ query: UnitQuery, variables: { id, groups: OWN_GROUPS } });
  const retry = () => again({ requestPolicy: 'network-only' });
  const unit = data?.unit;
  if (!unit) {
    if (fetching) return <Skeleton rows={7} label={t('app.loading')} />;
    if (error) return <ErrorNote failure={failureOf(error)} onRetry={retry} />;
    return <Empty title={t('unit.unknown')}>{t('unit.unknownHint')}</Empty>;
  }
  // Judged by what is missing: the error of the last answer is gone as soon as it is asked for anew.
  const partial = !unit.groupCounts || !unit.groups;
  return (
    <div className={styles.details} aria-busy={fetching}>
      <UnitHeading unit={unit} onShow={onShow} />
      {partial && <DegradedNote onRetry={retry} busy={fetching} />}
      {unit.groupCounts && <UnitFigures counts={unit.groupCounts} unitsBelow={unit.subtreeCount - 1} />}
      {unit.groups && <OwnGroupsTable groups={unit.groups} />}
    </div>
  );
}

/** One unit: where it stands, how many groups and members of what kind, and what they lack. */
export function UnitPanel({ id, onShow }: { id: string | null; onShow: (id: string) => void }) {
  const { t } = useI18n();
  return (
    <section className="panel" aria-labelledby="unit-heading">
      <div className="panel-head">
        <h2 id="unit-heading">{t('unit.title')}</h2>
      </div>
      <div className="panel-body">
        {id === null ? <Empty title={t('unit.none')}>{t('unit.noneHint')}</Empty> : <Details id={id} onShow={onShow} />}
      </div>
    </section>
  );
}
