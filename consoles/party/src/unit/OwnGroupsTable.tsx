import { nameOf, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import styles from './Unit.module.css';
import { OWN_GROUPS, type OwnGroups } from './unitQuery';

type Group = OwnGroups['nodes'][number];

function GroupRow({ group }: { group: Group }) {
  const { t, name, number } = useI18n();
  const { blueprint } = useOrganisation();
  const kind = name(nameOf(blueprint.groupKinds, group.kind));
  const category = group.category ? name(nameOf(blueprint.categories, group.category)) : null;
  return (
    <tr>
      <th scope="row">{name(group.name)}</th>
      <td>{category === null ? kind : `${kind} · ${category}`}</td>
      <td className={styles.number}>{number(group.memberCount)}</td>
      <td>
        {t(`groupState.${group.state}`)}
        {group.flags.map((flag) => (
          <span key={flag} className={styles.flag} data-flag={flag}>
            {t(`flag.${flag}`)}
          </span>
        ))}
      </td>
    </tr>
  );
}

/** The groups that belong to the unit itself, not to a unit below. */
export function OwnGroupsTable({ groups }: { groups: OwnGroups }) {
  const { t } = useI18n();
  return (
    <div>
      <h4 className={styles.section}>{t('unit.ownGroups')}</h4>
      {groups.nodes.length === 0 && <p className={styles.fine}>{t('unit.noOwnGroups')}</p>}
      {groups.nodes.length > 0 && (
        <div className={styles.tableScroll}>
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">{t('group.name')}</th>
                <th scope="col">{t('group.kind')}</th>
                <th scope="col" className={styles.number}>
                  {t('figure.members')}
                </th>
                <th scope="col">{t('group.state')}</th>
              </tr>
            </thead>
            <tbody>
              {groups.nodes.map((group) => (
                <GroupRow key={group.id} group={group} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {groups.pageInfo.hasNextPage && <p className={styles.fine}>{t('unit.moreGroups', { count: OWN_GROUPS })}</p>}
    </div>
  );
}
