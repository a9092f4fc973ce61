// Who started a run, and how: from the ledger's record of its creation. Prefect's word counts only where there is no such record.
import { chainWords } from '../../contract/chain-words.ts';
import { isFlowRunState, type PrefectEvent } from '../../contract/prefect-event.ts';
import { agentName } from '../../contract/principal.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { chainFromLabel, ON_BEHALF_OF_LABEL } from '../../prefect/client/initiators.ts';
import { createsRun } from '../ledger/notable.ts';
import type { PrefectRun } from './prefect-run.ts';

/** request: a client asked for it; schedule, automation: Prefect made it; unknown: the gateway saw no creation. */
export type Route = 'request' | 'schedule' | 'automation' | 'unknown';

export interface Start {
  readonly route: Route;
  readonly principal: string | null;
  readonly principal_kind: string | null;
  readonly idp: string | null;
  readonly on_behalf_of: readonly string[];
  readonly action: string | null;
  readonly policies: readonly string[];
  readonly source_ip: string | null;
  readonly request_id: string | null;
  readonly time: string | null;
  /** The schedule or the automation. */
  readonly by: Maker | null;
  /** The run that started it. */
  readonly parent: ParentRun | null;
  /** ledger: proven; event, label: Prefect's word, not confirmed here; none: the gateway saw no creation. */
  readonly evidence: 'ledger' | 'event' | 'label' | 'none';
  /** The label `lictor.principal` where it disagrees with the ledger. The ledger wins. */
  readonly contradicting_label: string | null;
}

/** `made_by`: its maker, by the ledger. */
export interface Maker {
  readonly id: string;
  readonly name: string | null;
  readonly made_by: string | null;
}

export interface ParentRun {
  readonly flow_run_id: string;
  readonly name: string | null;
  readonly start: Start;
}

export interface StartParts {
  readonly run: PrefectRun | null;
  readonly records: readonly LedgerRecord[];
  readonly events?: readonly PrefectEvent[];
  readonly parent?: ParentRun | null;
  readonly madeBy?: string | null;
}

export function findStart({ run, records, events = [], parent = null, madeBy = null }: StartParts): Start {
  const label = run?.labels['lictor.principal'] ?? null;
  const creation = records.find(createsRun);
  if (creation !== undefined) return { ...fromRecord(creation, label), parent };
  const maker = makerOf(run, events);
  if (maker !== undefined) return { ...UNKNOWN, ...maker, by: maker.by === null ? null : { ...maker.by, made_by: madeBy }, parent };
  if (label === null || run === null) return { ...UNKNOWN, parent };
  const by = { principal: label, on_behalf_of: chainFromLabel(run.labels[ON_BEHALF_OF_LABEL]), request_id: run.labels['lictor.request_id'] ?? null };
  return { ...UNKNOWN, ...by, route: 'request', time: run.created, evidence: 'label', parent };
}

/** The person or service at the beginning of a chain of runs, or the agent there with those that it acts for. Null: unknown. */
export function initiatorOf({ principal, on_behalf_of: behalf, parent }: Start): string | null {
  const behind = parent === null ? null : initiatorOf(parent.start);
  if (behind !== null || principal === null) return behind;
  const chain = [principal, ...behalf];
  // Without an agent, the index is -1: the last one.
  return chainWords(chain.slice(chain.findIndex((id) => agentName(id) !== undefined)));
}

type Origin = Pick<Start, 'route' | 'evidence' | 'time'> & { readonly by: Omit<Maker, 'made_by'> | null };

const AUTOMATION = 'prefect.automation.';

/** Each event of a run that an automation made names the automation. Prefect makes a schedule's runs in bulk, so such a run has no event `Scheduled`. */
export function makerOf(run: PrefectRun | null, all: readonly PrefectEvent[]): Origin | undefined {
  // Events of clients are ignored: they may name any creator.
  const events = all.filter(isFlowRunState);
  const creator = events.flatMap(({ related }) => related).find(({ id, role }) => role === 'creator' && id.startsWith(AUTOMATION));
  const time = run?.created ?? events[0]?.occurred ?? null;
  if (creator !== undefined) return { route: 'automation', by: { id: creator.id.slice(AUTOMATION.length), name: creator.name }, evidence: 'event', time };
  const { createdBy = null } = run ?? {};
  if (createdBy?.type === 'AUTOMATION') return { route: 'automation', by: { id: createdBy.id, name: createdBy.name }, evidence: 'event', time };
  if (createdBy?.type === 'SCHEDULE') return { route: 'schedule', by: { id: createdBy.id, name: createdBy.name }, evidence: 'event', time };
  if (run?.autoScheduled === true) return { route: 'schedule', by: null, evidence: 'event', time };
  const first = events.find(({ state_name: state }) => state !== null);
  const isScheduled = run === null && first !== undefined && first.deployment_id !== null && first.state_name !== 'Scheduled' && first.follows !== null;
  return isScheduled ? { route: 'schedule', by: null, evidence: 'event', time } : undefined;
}

function fromRecord(record: LedgerRecord, label: string | null): Start {
  const { principal, principal_kind, idp, on_behalf_of, action, policies, source_ip, request_id, time } = record;
  const contradicts = label !== null && label !== principal;
  return {
    ...{ ...UNKNOWN, route: 'request', evidence: 'ledger', contradicting_label: contradicts ? label : null },
    ...{ principal, principal_kind, idp, on_behalf_of, action, policies, source_ip, request_id, time },
  };
}

const UNKNOWN: Start = {
  route: 'unknown',
  principal: null,
  principal_kind: null,
  idp: null,
  on_behalf_of: [],
  action: null,
  policies: [],
  source_ip: null,
  request_id: null,
  time: null,
  by: null,
  parent: null,
  evidence: 'none',
  contradicting_label: null,
};
