// What a row says, in words: for its line, for a screen reader, and for the table.
import type { Row } from './row.ts';
import { chain, span } from './words.ts';

/** The name of the line. */
export function title({ kind, what, principal, on_behalf_of, object_id, flow_run_id }: Row): string {
  if (principal === `run:${flow_run_id}` && kind !== 'run') return chain('the run itself', on_behalf_of);
  if (kind === 'state' || kind === 'event' || kind === 'gateway') return what ?? '';
  if (kind === 'task') return what ?? `task run ${object_id ?? ''}`;
  if (kind === 'run') return what ?? `flow run ${object_id ?? flow_run_id}`;
  return chain(principal, on_behalf_of);
}

/** What stands beside the name. */
export function subtitle({ kind, what, principal, on_behalf_of }: Row): string {
  if (kind === 'run') return principal === null ? '' : `by ${chain(principal, on_behalf_of)}`;
  return kind === 'request' || kind === 'decision' ? (what ?? '') : '';
}

export type Tone = 'good' | 'bad' | 'warn' | 'active' | 'calm';

const STATE_TONES: Readonly<Record<string, Tone>> = {
  COMPLETED: 'good',
  FAILED: 'bad',
  CRASHED: 'bad',
  CANCELLED: 'warn',
  CANCELLING: 'warn',
  PAUSED: 'warn',
  RUNNING: 'active',
};

export function stateTone(type: string | null): Tone {
  return STATE_TONES[type ?? ''] ?? 'calm';
}

export function tone({ kind, lane, decision, observed, status, state_type }: Row): Tone {
  if (kind === 'state' || kind === 'task' || kind === 'run') return stateTone(state_type);
  if (kind === 'gateway') return 'warn';
  if (lane === 'approval') return 'warn';
  if (decision === 'deny') return observed ? 'warn' : 'bad';
  if (status !== null && status >= 500) return 'bad';
  return lane === 'who' || lane === 'service' ? 'active' : 'calm';
}

/** What came of it: beside its mark in the picture. */
export function outcome(row: Row): string {
  const { kind, duration_ms, state, attempts, status } = row;
  if (kind === 'state') return duration_ms === null ? '' : span(duration_ms);
  if (kind === 'task' || kind === 'run') {
    const lasted = duration_ms === null ? '' : span(duration_ms);
    return [state, lasted, (attempts ?? 0) > 1 ? `${attempts} attempts` : ''].filter(Boolean).join(' · ');
  }
  if (kind === 'event') return '';
  return [status === null ? '' : String(status), reasonOf(row), duration_ms === null ? '' : span(duration_ms)].filter(Boolean).join(' · ');
}

function reasonOf({ reason, decision, observed }: Row): string {
  if (reason === null || reason === 'policy-permits') return '';
  return decision === 'deny' && observed ? `would deny: ${reason}` : reason;
}
