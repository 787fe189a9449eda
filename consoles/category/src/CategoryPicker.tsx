import { nameOf, useOrganisation } from '../../shared/app/organisation';
import type { AudienceTerm } from '../../shared/audience/audience';
import pick from '../../shared/audience/Picker.module.css';
import { useI18n } from '../../shared/i18n/I18n';
import type { UnitRow } from '../../shared/units/children';

const NAMES_SHOWN = 6;

interface Props {
  readonly terms: readonly AudienceTerm[];
  readonly cellCount: number;
  readonly units: readonly UnitRow[];
  readonly onClear: () => void;
}

function Term({ term, units }: { term: AudienceTerm; units: readonly UnitRow[] }) {
  const { t, name, list } = useI18n();
  const { blueprint } = useOrganisation();
  const named = units.filter(({ id }) => term.unitIds.includes(id)).map((unit) => name(unit.name));
  const rest = named.length - NAMES_SHOWN;
  const places = rest > 1 ? [...named.slice(0, NAMES_SHOWN), t('audience.more', { count: rest })].join(', ') : list(named);
  const categories = (term.categories ?? []).map((key) => name(nameOf(blueprint.categories, key)));
  return <li className={pick.term}>{t('audience.term', { categories: list(categories), units: places })}</li>;
}

/** Whom a message is for: the chosen cells as few sentences as say them. */
export function CategoryPicker({ terms, cellCount, units, onClear }: Props) {
  const { t } = useI18n();
  return (
    <div className={pick.picker}>
      <h3 className={pick.label}>{t('audience.title')}</h3>
      {terms.length === 0 ? (
        <p className={pick.none}>
          <strong>{t('audience.none')}</strong> {t('audience.noneCategory')}
        </p>
      ) : (
        <div>
          <ul className={pick.terms}>
            {terms.map((term) => (
              <Term key={JSON.stringify(term)} term={term} units={units} />
            ))}
          </ul>
          <p className={pick.chosen}>
            {t('grid.chosen', { count: cellCount })}
            <button type="button" className="button quiet" onClick={onClear}>
              {t('grid.clear')}
            </button>
          </p>
        </div>
      )}
    </div>
  );
}
