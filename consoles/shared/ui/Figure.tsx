import { useI18n } from '../i18n/I18n';
import styles from './Figure.module.css';

/** A number and what it counts; stands in a `dl`. */
export function Figure({ label, value, warn = false }: { label: string; value: number; warn?: boolean }) {
  const { number } = useI18n();
  return (
    <div className={styles.figure} data-warn={warn}>
      <dt>{label}</dt>
      <dd>{number(value)}</dd>
    </div>
  );
}
