// What the marks mean, and the keys.
import styles from './run.module.css';

const KEYS = [
  ['↑ ↓', 'rows'],
  ['Enter', 'open'],
  ['+ − 0', 'zoom'],
  ['Shift ← →', 'pan'],
  ['t', 'table'],
  ['/', 'find'],
] as const;

export function Legend() {
  return (
    <p className={styles['legend']}>
      <span>
        <i className={styles['sign']} /> verified: proven by the gateway
      </span>
      <span>
        <i className={styles['sign']} data-binding="asserted" /> asserted: only the client says so
      </span>
      {KEYS.map(([keys, what]) => (
        <span key={keys}>
          <kbd>{keys}</kbd> {what}
        </span>
      ))}
    </p>
  );
}
