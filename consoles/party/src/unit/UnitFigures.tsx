import { nameOf, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import type { LocalizedName } from '../../../shared/i18n/localized';
import { Bars } from '../../../shared/ui/Bars';
import { Figure } from '../../../shared/ui/Figure';
import styles from './Unit.module.css';
import type { GroupCounts } from './unitQuery';

type Facet = GroupCounts['byKind'][number];
type Named = readonly { readonly key: string; readonly name: LocalizedName }[];

function FacetBars({ title, counts, names }: { title: string; counts: readonly Facet[]; names: Named }) {
  const { t, name, number } = useI18n();
  const bars = counts
    .filter(({ groupCount }) => groupCount > 0)
    .map(({ key, groupCount, memberCount }) => ({
      key,
      label: name(nameOf(names, key)),
      value: groupCount,
      figure: number(groupCount),
      note: t('count.members', { count: memberCount }),
    }));
  if (bars.length === 0) return null;
  return (
    <div>
      <h4 className={styles.section}>{title}</h4>
      <Bars bars={bars} label={title} />
    </div>
  );
}

function Flags({ counts }: { counts: GroupCounts }) {
  const { t, number } = useI18n();
  const flags = counts.byFlag.filter(({ groupCount }) => groupCount > 0);
  return (
    <div>
      <h4 className={styles.section}>{t('unit.flags')}</h4>
      {flags.length === 0 && <p className={styles.fine}>{t('unit.noFlags')}</p>}
      <ul className={styles.flags}>
        {flags.map(({ flag, groupCount }) => (
          <li key={flag} data-flag={flag}>
            <strong>{number(groupCount)}</strong> {t(`flag.${flag}`)} <span>{t(`flag.${flag}.hint`)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The whole subtree in figures, by kind, category and flag. */
export function UnitFigures({ counts, unitsBelow }: { counts: GroupCounts; unitsBelow: number }) {
  const { t } = useI18n();
  const { blueprint } = useOrganisation();
  const incomplete = counts.byFlag.find(({ flag }) => flag === 'INCOMPLETE')?.groupCount ?? 0;
  return (
    <>
      <dl className={styles.figures}>
        <Figure label={t('figure.groups')} value={counts.groupCount} />
        <Figure label={t('figure.members')} value={counts.memberCount} />
        <Figure label={t('figure.unitsBelow')} value={unitsBelow} />
        <Figure label={t('figure.incomplete')} value={incomplete} warn={incomplete > 0} />
      </dl>
      {counts.groupCount === 0 && <p className={styles.fine}>{t('unit.noGroups')}</p>}
      {counts.groupCount > 0 && (
        <>
          <FacetBars title={t('unit.byKind')} counts={counts.byKind} names={blueprint.groupKinds} />
          <FacetBars title={t('unit.byCategory')} counts={counts.byCategory} names={blueprint.categories} />
          <Flags counts={counts} />
        </>
      )}
    </>
  );
}
