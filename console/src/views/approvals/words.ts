// How an approval reads.
import type { Tone } from '../../parts/tag.tsx';
import type { Approval, Usual } from './queries.ts';

export function isWaiting({ state, expires_at }: Pick<Approval, 'state' | 'expires_at'>, nowMs: number): boolean {
  return state === 'pending' && Date.parse(expires_at) > nowMs;
}

const STATES: Readonly<Record<string, readonly [tone: Tone, text: string]>> = {
  pending: ['warn', 'waits'],
  approved: ['good', 'approved, not used yet'],
  used: ['good', 'approved, has run'],
  denied: ['bad', 'denied'],
  expired: ['plain', 'expired'],
};

export function stateWords(state: string): readonly [tone: Tone, text: string] {
  return STATES[state] ?? ['plain', state];
}

/** `12 min 05 s`, `48 s`, `2 h 10 min`. */
export function timeLeft(expiresAt: string, nowMs: number): string {
  const seconds = Math.ceil((Date.parse(expiresAt) - nowMs) / 1000);
  if (seconds <= 0) return 'expired';
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** The share of its time that a request has left, from 1 to 0. */
export function shareLeft({ requested_at, expires_at }: Pick<Approval, 'requested_at' | 'expires_at'>, nowMs: number): number {
  const [from, to] = [Date.parse(requested_at), Date.parse(expires_at)];
  return to <= from ? 0 : Math.min(1, Math.max(0, (to - nowMs) / (to - from)));
}

export type Judgement = 'usual' | 'rare' | 'new' | 'unknown' | 'left-out';

/** Whether earlier requests had the same value. */
export function judge({ value, same }: Pick<Usual['arguments'][number], 'value' | 'same'>, count: number): Judgement {
  if (count === 0) return 'unknown';
  if (value === null) return 'left-out';
  if (same === 0) return 'new';
  return same * 2 >= count ? 'usual' : 'rare';
}

export function chainOf({ requested_by, on_behalf_of }: Pick<Approval, 'requested_by' | 'on_behalf_of'>): readonly string[] {
  return [requested_by, ...on_behalf_of];
}

const LONGEST_SUMMARY = 80;

/** The parameters of a run, or the whole request, on one line. Empty: there is nothing beside the object. */
export function argumentsWords(given: unknown): string {
  const body = membersOf(membersOf(given)['body']);
  const { id: _id, ...others } = membersOf(given);
  const shown = body['parameters'] === undefined ? others : membersOf(body['parameters']);
  const text = Object.entries(shown)
    .map(([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
  return text.length > LONGEST_SUMMARY ? `${text.slice(0, LONGEST_SUMMARY)}…` : text;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** What the request is about. */
export function objectOf({ resource: { type, name, id } }: Pick<Approval, 'resource'>): string {
  return name ?? id ?? type;
}

/** `Which of how many` in words. */
export function basisWords({ source, count }: Pick<Usual, 'source' | 'count'>): string {
  const what = source === 'flow_runs' ? 'flow run of this deployment' : 'request for the same action and object';
  if (count === 0) return source === 'flow_runs' ? 'This deployment has no earlier flow runs to compare with.' : 'There is no earlier request to compare with.';
  return count === 1
    ? `Compared with the last ${what}.`
    : `Compared with the last ${count} ${what.replace('run of', 'runs of').replace('request for', 'requests for')}.`;
}
