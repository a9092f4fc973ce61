// A record as text: an event of the gateway, or the effect of a request.
import type { LedgerRecord } from '../contract/record.ts';
import { EVENTS_OF_RECORD, EVENTS_STORED, GATEWAY_ACTIONS } from '../record/ledger/events.ts';
import { PROBES_ACTION, SUMMARY_ACTION } from '../record/ledger/floods.ts';
import { EXPORT_GAP_ACTION } from '../record/sinks/exports.ts';
import { span } from './text.ts';

function edgeDeathWords({ resource_type: type, resource_id: pid, tool }: LedgerRecord, gap = 'moments'): string {
  return `${type === 'EdgeMaster' ? 'nginx' : 'edge worker'} ${pid ?? ''} died (${tool ?? 'killed'}): its requests of the last ${gap} may be missing`;
}

/** One sentence for an event of the gateway. Undefined for a request. */
export function gatewayWords(record: LedgerRecord): string | undefined {
  const gap = record.duration_ms === null ? undefined : span(record.duration_ms);
  const which = record.resource_id ?? '?';
  switch (record.action) {
    case GATEWAY_ACTIONS.started:
      return `control plane started${STARTED[record.resource_id ?? ''] ?? ''}${gap === undefined ? '' : `, away ${gap}`}`;
    case GATEWAY_ACTIONS.stopped:
      return 'control plane stopped';
    case GATEWAY_ACTIONS.hung:
      return 'the control plane before this one hung, and was killed';
    case GATEWAY_ACTIONS.edgeWorkerDied:
      return edgeDeathWords(record, gap);
    case GATEWAY_ACTIONS.recovered:
      return `ledger written again${gap === undefined ? '' : ` after ${gap}`}; changes were refused, reads may be missing (full disk)`;
    case GATEWAY_ACTIONS.unreadable:
      return `a line of the access log could not be read (${record.bytes ?? '?'} bytes)`;
    case GATEWAY_ACTIONS.pruned:
      return `records up to ${which} were let go: they are older than ledger.retention`;
    case GATEWAY_ACTIONS.pruneStopped:
      return `${stoppedAt(record, which)}: nothing is let go any more (lictor audit verify)`;
    case GATEWAY_ACTIONS.pruneHeld:
      return `the clock is ${record.tool ?? 'far'} ahead of what was known, or the gateway was away: nothing is let go before it has run for a day`;
    case EVENTS_STORED:
      return `${record.tool?.split(',')[0] ?? ''} of Prefect stored (${which})`;
    case EXPORT_GAP_ACTION:
      return exportGapWords(record);
    case SUMMARY_ACTION:
      return summaryWords(
        record,
        record.resource_type === 'RefusedRequests' ? 'more requests with a refused credential' : 'more requests of nobody known',
        gap,
      );
    case PROBES_ACTION:
      return summaryWords(record, 'probes', gap);
    default:
      return restoreWords(record, gap);
  }
}

function restoreWords({ action, tool }: LedgerRecord, gap: string | undefined): string | undefined {
  if (action === GATEWAY_ACTIONS.restored) return `restored from a backup (${tool}); records of the ${gap ?? 'time'} after it are lost`;
  return action === GATEWAY_ACTIONS.credentialsEnded ? `the restore ended ${tool}` : undefined;
}

function stoppedAt({ resource_type }: LedgerRecord, which: string): string {
  if (resource_type === EVENTS_OF_RECORD) return `the events of Prefect of which record ${which} speaks were changed after they were stored`;
  return `record ${which} was changed after it was written`;
}

function exportGapWords({ resource_id, reason, tool }: LedgerRecord): string {
  const what = reason === 'retention' ? 'never got' : 'was sent from another ledger, and';
  return `sink ${resource_id ?? '?'} ${what} ${tool ?? ''}`;
}

function summaryWords({ resource_id, source_ip, tool }: LedgerRecord, what: string, gap: string | undefined): string {
  const from = source_ip === null ? '' : ` from ${source_ip}`;
  return `${resource_id ?? '?'} ${what}${from}${gap === undefined ? '' : ` within ${gap}`} (${tool ?? ''})`;
}

const STARTED: Readonly<Record<string, string>> = { none: ' for the first time', clean: ' after a clean stop', unclean: ' after being killed' };

/** The reason if it adds information: of a rejection, of an outage after an allow, of an unknown outcome. For a reload, its changes. */
export function reasonWords(record: LedgerRecord): string {
  if (record.reason === null || record.reason === 'policy-permits') return '';
  if (record.decision === 'deny' && record.mode === 'observe') return `would deny: ${record.reason}`;
  return record.reason === 'config-applied' && record.tool !== null ? `${record.reason}: ${record.tool}` : record.reason;
}
