import { useOrganisation } from '../../../shared/app/organisation';
import { useI18n } from '../../../shared/i18n/I18n';
import { FacetChips } from '../../../shared/audience/FacetChips';
import pick from '../../../shared/audience/Picker.module.css';
import { CrossIcon } from '../../../shared/ui/Icon';
import type { Facets } from './choice';
import { type Mark, marksInOrder, type Selection } from './selection';

const CHIPS_SHOWN = 12;

interface Props {
  readonly selection: Selection;
  readonly onToggle: (mark: Mark) => void;
  readonly onClear: () => void;
  readonly facets: Facets;
  readonly onFacets: (facets: Facets) => void;
}

function MarkChip({ mark, onToggle }: { mark: Mark; onToggle: (mark: Mark) => void }) {
  const { t, name } = useI18n();
  const own = name(mark.name);
  const out = mark.mark === 'out';
  return (
    <li className={`chip ${out ? pick.out : pick.in}`}>
      <span>{out ? t('audience.without', { name: own }) : own}</span>
      <button
        type="button"
        className={pick.remove}
        aria-label={out ? t('audience.putBack', { name: own }) : t('audience.remove', { name: own })}
        onClick={() => onToggle(mark)}
      >
        <CrossIcon />
      </button>
    </li>
  );
}

function Units({ selection, onToggle, onClear }: Pick<Props, 'selection' | 'onToggle' | 'onClear'>) {
  const { t } = useI18n();
  const marks = marksInOrder(selection);
  if (marks.length === 0) {
    return (
      <p className={pick.none}>
        <strong>{t('audience.none')}</strong> {t('audience.noneParty')}
      </p>
    );
  }
  const rest = marks.length - CHIPS_SHOWN;
  return (
    <ul className={pick.chips}>
      {marks.slice(0, CHIPS_SHOWN).map((mark) => (
        <MarkChip key={mark.id} mark={mark} onToggle={onToggle} />
      ))}
      {rest > 0 && <li className={pick.rest}>{t('audience.more', { count: rest })}</li>}
      <li>
        <button type="button" className="button quiet" onClick={onClear}>
          {t('audience.clear')}
        </button>
      </li>
    </ul>
  );
}

/** Whom a message is for: the ticked units, narrowed by kinds of group and by categories. */
export function PartyPicker({ facets, onFacets, ...units }: Props) {
  const { t } = useI18n();
  const { blueprint } = useOrganisation();
  const withCategory = blueprint.groupKinds.filter(({ hasCategory }) => hasCategory).map(({ key }) => key);
  const categoriesMatter = facets.kinds.size === 0 || withCategory.some((kind) => facets.kinds.has(kind));
  return (
    <div className={pick.picker}>
      <h3 className={pick.label}>{t('audience.title')}</h3>
      <Units {...units} />
      <FacetChips
        title={t('audience.kinds')}
        entries={blueprint.groupKinds}
        chosen={facets.kinds}
        onChange={(kinds) => onFacets({ ...facets, kinds })}
      />
      {categoriesMatter && (
        <FacetChips
          title={t('audience.categories')}
          entries={blueprint.categories}
          chosen={facets.categories}
          onChange={(categories) => onFacets({ ...facets, categories })}
        />
      )}
    </div>
  );
}
