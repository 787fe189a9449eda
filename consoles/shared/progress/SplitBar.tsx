import { useId } from 'react';

import { type Blueprint, useOrganisation } from '../app/organisation';
import { useI18n } from '../i18n/I18n';
import type { Lens } from './BroadcastProgress';
import styles from './Progress.module.css';

interface Props {
  readonly lens: Lens;
  readonly onChange: (lens: Lens) => void;
  /** The split that the whole broadcast began with. */
  readonly start: string | null;
}

// Two levels below what is looked at are some hundred rows; three can be ten thousand, five times a
// second.
const LEVELS_DOWN = 2;

function offeredLevels(levels: Blueprint['levels'], lens: Lens, start: string | null): Blueprint['levels'] {
  const indexOf = (wanted: string | null | undefined) => levels.findIndex(({ key }) => key === wanted);
  if (lens.within !== null) {
    const from = indexOf(lens.within.level) + 1;
    return levels.slice(from, from + LEVELS_DOWN);
  }
  return levels.slice(0, Math.max(Math.floor(levels.length / 3) + LEVELS_DOWN, indexOf(start)) + 1);
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
        {offeredLevels(blueprint.levels, lens, start).map((level) => (
          <option key={level.key} value={level.key}>
            {name(level.name)}
          </option>
        ))}
      </select>
    </div>
  );
}
