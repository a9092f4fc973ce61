// Who started a run: the ledger's own record of its creation; Prefect's label only where the ledger has none.
import type { LedgerRecord } from '../contract/record.ts';
import { createsRun } from '../ledger/notable.ts';
import type { PrefectRun } from './prefect-run.ts';

export interface Start {
  readonly principal: string | null;
  readonly principal_kind: string | null;
  readonly on_behalf_of: readonly string[];
  readonly source_ip: string | null;
  readonly request_id: string | null;
  readonly time: string | null;
  /** ledger: proven; label: what Prefect's database says, and nothing here confirms it; none: nobody that this gateway saw. */
  readonly evidence: 'ledger' | 'label' | 'none';
  /** What the label `lictor.principal` says where it disagrees with the ledger; the ledger wins. */
  readonly contradicting_label: string | null;
}

export function findStart(run: PrefectRun | null, records: readonly LedgerRecord[]): Start {
  const label = run?.labels['lictor.principal'] ?? null;
  const creation = records.find(createsRun);
  if (creation !== undefined) return fromRecord(creation, label);
  if (label === null || run === null) return NOBODY;
  return { ...NOBODY, principal: label, request_id: run.labels['lictor.request_id'] ?? null, time: run.created, evidence: 'label' };
}

function fromRecord(record: LedgerRecord, label: string | null): Start {
  const { principal, principal_kind, on_behalf_of, source_ip, request_id, time } = record;
  const contradicts = label !== null && label !== principal;
  return { principal, principal_kind, on_behalf_of, source_ip, request_id, time, evidence: 'ledger', contradicting_label: contradicts ? label : null };
}

const NOBODY: Start = {
  principal: null,
  principal_kind: null,
  on_behalf_of: [],
  source_ip: null,
  request_id: null,
  time: null,
  evidence: 'none',
  contradicting_label: null,
};
