import { useI18n } from '../i18n/I18n';
import { type Counts, DELIVERY_STATES } from './progress';
import styles from './Progress.module.css';

/** All deliveries of something as one bar; read out as the numbers it is made of. */
export function StackedBar({ counts, name, large = false }: { counts: Counts; name: string; large?: boolean }) {
  const { t } = useI18n();
  const parts = DELIVERY_STATES.filter((state) => counts[state] > 0);
  const texts = parts.map((state) => t('progress.stateOf', { state: t(`delivery.${state}`), count: counts[state] }));
  const label = t('progress.bar', { name, states: texts.join(', ') });
  return (
    <div className={large ? styles.barLarge : styles.bar} role="img" aria-label={label} title={texts.join(' · ')}>
      {parts.map((state) => (
        <span key={state} className={styles.part} data-state={state} style={{ flexGrow: counts[state] }} />
      ))}
    </div>
  );
}

/** What each colour and pattern means, with its number. */
export function Legend({ counts }: { counts: Counts }) {
  const { t, number } = useI18n();
  return (
    <ul className={styles.legend}>
      {DELIVERY_STATES.map((state) => (
        <li key={state} data-none={counts[state] === 0}>
          <span className={styles.swatch} data-state={state} aria-hidden="true" />
          {t(`delivery.${state}`)} <strong>{number(counts[state])}</strong>
        </li>
      ))}
    </ul>
  );
}
