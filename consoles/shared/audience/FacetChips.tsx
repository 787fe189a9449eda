import { useId } from 'react';

import { useI18n } from '../i18n/I18n';
import type { LocalizedName } from '../i18n/localized';
import styles from './Picker.module.css';

interface Props {
  readonly title: string;
  readonly entries: readonly { readonly key: string; readonly name: LocalizedName }[];
  /** Empty means all: nothing is narrowed. */
  readonly chosen: ReadonlySet<string>;
  readonly onChange: (chosen: ReadonlySet<string>) => void;
}

/** Narrows by kinds or categories: none pressed means all of them. */
export function FacetChips({ title, entries, chosen, onChange }: Props) {
  const { t, name } = useI18n();
  const heading = useId();
  const toggle = (key: string) => {
    const next = new Set(chosen);
    if (!next.delete(key)) next.add(key);
    onChange(next);
  };
  if (entries.length === 0) return null;
  return (
    <div role="group" aria-labelledby={heading}>
      <h4 id={heading} className={styles.label}>
        {title}
      </h4>
      <div className={styles.chips}>
        <button type="button" className="chip" aria-pressed={chosen.size === 0} onClick={() => onChange(new Set())}>
          {t('audience.all')}
        </button>
        {entries.map((entry) => (
          <button key={entry.key} type="button" className="chip" aria-pressed={chosen.has(entry.key)} onClick={() => toggle(entry.key)}>
            {name(entry.name)}
          </button>
        ))}
      </div>
    </div>
  );
}
