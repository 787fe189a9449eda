import { type ReactNode, useCallback, useState } from 'react';

import { useI18n } from '../i18n/I18n';
import styles from './Panes.module.css';

export interface Pane<K extends string> {
  readonly key: K;
  readonly label: string;
  /** A number that says that something waits there. */
  readonly badge?: number;
}

/** The active pane; a change begins at its top, not where the pane before was scrolled to. */
export function usePane<K extends string>(first: K): [K, (key: K) => void] {
  const [active, setActive] = useState(first);
  const activate = useCallback((key: K) => {
    document.documentElement.scrollTop = 0;
    setActive(key);
  }, []);
  return [active, activate];
}

interface BarProps<K extends string> {
  readonly panes: readonly Pane<K>[];
  readonly active: K;
  readonly onActivate: (key: K) => void;
}

/** On a narrow screen one part is shown at a time; this bar chooses it. Wide screens hide the bar. */
export function PaneBar<K extends string>({ panes, active, onActivate }: BarProps<K>) {
  const { t, number } = useI18n();
  return (
    <nav className={styles.bar} aria-label={t('app.panes')}>
      {panes.map(({ key, label, badge = 0 }) => (
        <button key={key} type="button" aria-current={key === active ? 'true' : undefined} onClick={() => onActivate(key)}>
          {label}
          {badge > 0 && <span className={styles.badge}>{number(badge)}</span>}
        </button>
      ))}
    </nav>
  );
}

/** A part of the page that a narrow screen shows only when it is active. */
export function PaneBody({ active, className = '', children }: { active: boolean; className?: string; children: ReactNode }) {
  return (
    <div className={`${styles.pane} ${className}`} data-active={active}>
      {children}
    </div>
  );
}
