// Who started a run: the ledger's own record of its creation; Prefect's label only where the ledger has none.
import type { LedgerRecord } from '../contract/record.ts';
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
  const creation = records.find(isCreation);
  if (creation !== undefined) return fromRecord(creation, label);
  if (label === null || run === null) return NOBODY;
  return { ...NOBODY, principal: label, request_id: run.labels['lictor.request_id'] ?? null, time: run.created, evidence: 'label' };
}

// The routes on which a flow run is created: research of Prefect 3.9.1, `create_flow_run`, its bulk form, and POST /flow_runs/.
const CREATION_PATH = /\/(?:create_flow_run(?:\/bulk)?|flow_runs)\/?$/;

/** Only a verified binding counts: it was read from Prefect's own answer. The first one created the run, later ones found it by its key. */
function isCreation(record: LedgerRecord): boolean {
  const succeeded = record.status !== null && record.status >= 200 && record.status < 300;
  return record.method === 'POST' && CREATION_PATH.test(record.path ?? '') && record.decision === 'allow' && succeeded && record.run_binding === 'verified';
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
