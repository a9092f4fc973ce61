// `explain REQUEST_ID`: the record of a request, and the same question decided now.
import { LictorError } from '../../contract/error.ts';
import { RESOURCE_TYPES } from '../../contract/operation.ts';
import { isReasonCode, REASONS } from '../../contract/reasons.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { explainAction } from './action.ts';
import type { ExplainerParts } from './explainer.ts';
import type { Explanation, Revisited } from './explanation.ts';
import { connectOf, explainConnect } from './host-connect.ts';
import type { ResolvedPrincipal } from './principal.ts';
import { explainCall, locateCall } from './service-call.ts';

export interface RecordQuestion {
  readonly record: LedgerRecord;
  /** Null: the record names no principal. A string: why Lictor cannot find the principal any more. */
  readonly resolved: ResolvedPrincipal | string | null;
}

/** Whom the record names; a string: why Lictor cannot find the principal any more. */
export async function recordedPrincipal(
  { principal }: Pick<LedgerRecord, 'principal'>,
  find: (id: string) => Promise<ResolvedPrincipal>,
): Promise<RecordQuestion['resolved']> {
  if (principal === null) return null;
  return find(principal).catch((error: unknown) => {
    if (error instanceof LictorError && error.code === 'principal-unknown') return `${principal} is not known here any more.`;
    throw error;
  });
}

/** No record contains the query or the body, so Lictor decides the recorded action again without the facts of the body. */
export async function revisit(parts: ExplainerParts, { record, resolved }: RecordQuestion): Promise<Revisited> {
  if (resolved === null) return alone(record, 'The request was not authenticated, so there is no right to check again.');
  if (typeof resolved === 'string') return alone(record, `It cannot be asked again: ${resolved}`);
  if (record.service !== null) return revisitCall(parts, record, resolved);
  const connect = connectOf(record);
  if (connect !== undefined) return compared(record, await explainConnect(parts, resolved, connect));
  const type = RESOURCE_TYPES.find((known) => known === record.resource_type);
  const entry = parts.actions.find(({ name }) => name === record.action);
  if (entry === undefined || type === undefined || !entry.resources.includes(type))
    return alone(record, 'The record names no action of the catalogue, so there is no right to ask for again.');
  const now = await explainAction(parts, resolved, { action: entry.name, resource: record.resource_id === null ? type : `${type}:${record.resource_id}` });
  return compared(record, now);
}

async function revisitCall(parts: ExplainerParts, record: LedgerRecord, resolved: ResolvedPrincipal): Promise<Revisited> {
  const call = parts.services.some(({ name }) => name === record.service) ? locateCall(parts, `${record.method} ${record.path}`) : undefined;
  return call === undefined
    ? alone(record, `lictor.yaml names no service ${record.service}, so there is no right to ask for again.`)
    : compared(record, await explainCall(parts, resolved, call));
}

function compared(record: LedgerRecord, now: Explanation): Revisited {
  // No record contains the values of parameters, so Lictor does not guess their effect.
  if (now.depends_on_body) return { record, now, changed: false, notes: [] };
  const notes = beyondPolicy(record, now) ? ['It was not refused by a policy: what refused it is in the reason, and may be so again.'] : [];
  return { record, now, changed: record.decision !== null && record.decision !== now.decision && notes.length === 0, notes };
}

/** Refused for another cause than a policy: a malformed body, a limit, an outage. */
function beyondPolicy({ decision, reason }: LedgerRecord, now: Explanation): boolean {
  if (decision !== 'deny' || now.decision !== 'allow' || reason === null) return false;
  return !isReasonCode(reason) || (!reason.startsWith('policy-') && REASONS[reason].status !== 401);
}

function alone(record: LedgerRecord, note: string): Revisited {
  return { record, now: null, changed: false, notes: [note] };
}
