import styles from './ui.module.css';

export interface Bar {
  readonly key: string;
  readonly label: string;
  readonly value: number;
  readonly figure: string;
  readonly note?: string;
}

/** Counts side by side: a list that is read out as label and figure, with a picture beside it. */
export function Bars({ bars, label }: { bars: readonly Bar[]; label: string }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <ul className={styles.bars} aria-label={label}>
      {bars.map(({ key, label: name, value, figure, note }) => (
        <li key={key}>
          <span>{name}</span>
          <span className={styles.barTrack} aria-hidden="true">
            <span className={styles.barFill} style={{ display: 'block', width: `${(value / most) * 100}%` }} hidden={value === 0} />
          </span>
          <span className={styles.barFigures}>
            {figure} {note !== undefined && <span className={styles.muted}>{note}</span>}
          </span>
        </li>
      ))}
    </ul>
  );
}
