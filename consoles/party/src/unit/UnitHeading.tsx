import { nameOf, useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import { localized } from '../../../shared/i18n/localized';
import styles from './Unit.module.css';
import type { UnitDetails } from './unitQuery';

/** The unit's name in both languages, its level and code, and the way down to it. */
export function UnitHeading({ unit, onShow }: { unit: UnitDetails; onShow: (id: string) => void }) {
  const { t, name, language } = useI18n();
  const { blueprint } = useOrganisation();
  const own = name(unit.name);
  const otherLanguage = language === 'hi' ? 'en' : 'hi';
  const other = localized(unit.name, otherLanguage);
  return (
    <div>
      {unit.ancestors.length > 0 && (
        <nav aria-label={t('unit.path')}>
          <ol className={styles.path}>
            {unit.ancestors.toReversed().map((ancestor) => (
              <li key={ancestor.id}>
                <button type="button" onClick={() => onShow(ancestor.id)}>
                  {name(ancestor.name)}
                </button>
              </li>
            ))}
          </ol>
        </nav>
      )}
      <h3 className={styles.name}>
        {own}
        {other !== own && (
          <span className={styles.other} lang={otherLanguage}>
            {other}
          </span>
        )}
      </h3>
      <p className={styles.meta}>
        {name(nameOf(blueprint.levels, unit.level))} · {t('unit.code', { code: unit.code })}
      </p>
    </div>
  );
}
