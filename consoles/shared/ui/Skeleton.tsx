import styles from './ui.module.css';

const WIDTHS = ['78%', '64%', '71%', '52%', '67%', '58%', '74%', '61%'];

/** Grey rows while something loads; read out once as "loading". */
export function Skeleton({ rows, label }: { rows: number; label: string }) {
  return (
    <div className={styles.skeleton} role="status">
      <span className="visually-hidden">{label}</span>
      {WIDTHS.slice(0, rows).map((width) => (
        <span key={width} className={styles.bone} style={{ width }} />
      ))}
    </div>
  );
}

export function PageSkeleton({ label }: { label: string }) {
  return (
    <div className={styles.pageSkeleton}>
      <div className="panel panel-body">
        <Skeleton rows={8} label={label} />
      </div>
    </div>
  );
}
