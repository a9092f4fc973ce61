// Finds leavers that were let in before a record gave the right back. Later records prove nothing, so it reads the records in order.
import { type LedgerRecord, wasForwarded } from '../../contract/record.ts';
import type { EventRow } from './data.ts';
import { eventIn, USAGE_LIMITS } from './usage.ts';

export const JOINS: Readonly<Record<string, string>> = {
  'account.add': 'account added',
  'account.break_glass': 'break-glass account added',
  'token.create': 'token created',
  'device.allow': 'command-line login allowed',
  'authorize.allow': 'client login allowed',
};
export const LEAVES: Readonly<Record<string, string>> = {
  'account.remove': 'account removed',
  'token.revoke': 'token revoked',
  'identity.forget': 'identity forgotten',
  'lock.create': 'locked',
};
/** Actions that give a right back. */
const RETURNS = [...Object.keys(JOINS), 'lock.remove', 'token.rotate'];
/** A cached allow lives for at most two seconds. */
export const REMEMBERED_MS = 2_000;

interface Away {
  readonly left: string;
  readonly rememberedUntilMs: number;
}

export interface LateUse {
  /** In time order. */
  add(record: LedgerRecord): void;
  /** Whether the leaver was let in later, before a record gave the right back. */
  after(leaving: EventRow): boolean;
}

/** `accountsIdp`: id of the provider of built-in accounts. `most`: bound of the leavers. */
export function createLateUse(accountsIdp: string, most = USAGE_LIMITS.events): LateUse {
  const away = new Map<string, readonly Away[]>();
  const late = new Set<string>();

  function leave(event: EventRow): void {
    const id = idOf(event, accountsIdp);
    const earlier = away.get(id);
    if (earlier === undefined && away.size >= most) return;
    away.set(id, [...(earlier ?? []), { left: nameOfLeaving(event), rememberedUntilMs: Date.parse(event.time) + REMEMBERED_MS }]);
  }

  function comeBack(event: EventRow): void {
    for (const id of away.keys()) if (isAbout(event, id)) away.delete(id);
  }

  function letIn(principal: string, time: string): void {
    const leavings = away.get(principal) ?? [];
    for (const { left } of leavings.filter(({ rememberedUntilMs }) => Date.parse(time) > rememberedUntilMs)) late.add(left);
  }

  return {
    add(record) {
      const { principal, request_id: request, time } = record;
      if (principal !== null && wasForwarded(record) && request !== null) letIn(principal, time);
      const event = eventIn(record);
      if (event === undefined) return;
      if (RETURNS.includes(event.action)) comeBack(event);
      if (LEAVES[event.action] !== undefined) leave(event);
    },
    after: (leaving) => late.has(nameOfLeaving(leaving)),
  };
}

function nameOfLeaving({ time, action, resource }: EventRow): string {
  return `${time}\n${action}\n${resource ?? ''}`;
}

/** Whether a record after that time gave the right back. */
export function cameBack(events: readonly EventRow[], time: string, id: string): boolean {
  return events.some((event) => event.time > time && RETURNS.includes(event.action) && isAbout(event, id));
}

/** An unlock of a provider or an address counts for every principal, so that the report claims nothing false. */
function isAbout({ action, resource }: EventRow, id: string): boolean {
  const name = (resource ?? '').split(' ').slice(1).join(' ');
  if (action === 'lock.remove' && /^(?:idp|address|session):[^@]*$/.test(name)) return true;
  return name === id || `token:${name}` === id || id.startsWith(`${name}@`);
}

/** The form of a request's principal. */
export function idOf(event: EventRow, accountsIdp: string): string {
  const name = nameOf(event);
  return event.action.startsWith('account.') ? `${name}@${accountsIdp}` : name;
}

export function nameOf({ action, resource, principal }: EventRow): string {
  const [type = '', ...rest] = (resource ?? '').split(' ');
  const name = rest.join(' ');
  if (action === 'device.allow' || action === 'authorize.allow') return principal ?? name;
  return type === 'ServiceToken' ? `token:${name}` : name;
}
