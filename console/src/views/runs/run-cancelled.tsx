// Who cancelled the run, and whether they were allowed to.
import { Link } from '@tanstack/react-router';
import { verdictWords } from '../../parts/policy-words.ts';
import { RolesToday } from '../../parts/roles-today.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import styles from './run.module.css';
import type { Head } from './use-timeline.ts';
import { chain, utc } from './words.ts';

const CANCELLED: readonly (string | null)[] = ['CANCELLING', 'CANCELLED'];

export function RunCancelled({ by, stateType }: { readonly by: Head['cancelled_by']; readonly stateType: string | null }) {
  if (by === null)
    return CANCELLED.includes(stateType) ? (
      <p className={styles['note']}>The ledger has no request that cancelled this run: Prefect itself, an automation or a change of many runs did.</p>
    ) : null;
  return (
    <p className={styles['started']}>
      Cancelled by{' '}
      <b>
        <UntrustedText text={chain(by.principal, by.on_behalf_of)} />
      </b>
      {by.source_ip !== null && <> from {by.source_ip}</>} at {utc(by.time)} UTC, <b>{verdictWords(by)}</b>.{' '}
      {by.request_id !== null && <RolesToday requestId={by.request_id} policies={by.policies} />}{' '}
      <Link to="." search={(before: Record<string, string>) => ({ ...before, row: `record:${by.record_id}` })}>
        Show the record
      </Link>
    </p>
  );
}
