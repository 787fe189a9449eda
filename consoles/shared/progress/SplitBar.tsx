import { useId } from 'react';

import { useOrganisation } from '../app/organisation';
import { useI18n } from '../i18n/I18n';
import type { Lens } from './BroadcastProgress';
import styles from './Progress.module.css';

interface Props {
  readonly lens: Lens;
  readonly onChange: (lens: Lens) => void;
  /** The split that the whole broadcast began with. */
  readonly start: string | null;
}

/** Chooses the level of the split, and leads back out of a unit that was looked into. */
export function SplitBar({ lens, onChange, start }: Props) {
  const { t, name } = useI18n();
  const { blueprint } = useOrganisation();
  const id = useId();
  return (
    <div className={styles.split}>
      {lens.within !== null && (
        <p className={styles.within}>
          <button type="button" className={styles.into} onClick={() => onChange({ level: start, within: null })}>
            {t('progress.within')}
          </button>
          <span aria-hidden="true"> › </span>
          <strong>{name(lens.within.name)}</strong>
        </p>
      )}
      <label htmlFor={id}>{t('progress.level')}</label>
      <select id={id} value={lens.level ?? ''} onChange={(event) => onChange({ ...lens, level: event.target.value || null })}>
        <option value="">{t('progress.noSplit')}</option>
        {blueprint.levels.map((level) => (
          <option key={level.key} value={level.key}>
            {name(level.name)}
          </option>
        ))}
      </select>
    </div>
  );
}
