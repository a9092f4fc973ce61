// The records of the tokens of `lictor doctor`, which reports leave out. A name proves nothing: only the record of the command shows that a token is its own.
import { DOCTOR_RULE } from './names.ts';
import type { LedgerRecord } from './record.ts';

/** The record of the requests that the command sent without a credential: `resource_id` has their ids, with blanks between. */
export const DOCTOR_REQUESTS = 'doctor.requests';

/** Only a command on the gateway's machine writes such a record. */
export function requestsOfDoctor({ action, request_id, resource_id }: LedgerRecord): readonly string[] {
  return action === DOCTOR_REQUESTS && request_id === null && resource_id !== null ? resource_id.split(' ') : [];
}

export interface DoctorRecords {
  /** In time order. */
  has(record: LedgerRecord): boolean;
  isToken(principal: string): boolean;
}

export function createDoctorRecords(): DoctorRecords {
  const ends = new Map<string, number>();
  return {
    has(record) {
      const { action, principal, resource_type: type, resource_id: id, time } = record;
      const token = type === 'ServiceToken' && action?.startsWith('token.') === true ? `token:${id ?? ''}` : undefined;
      if (action === 'token.create' && token !== undefined) {
        const endMs = endOf(record);
        ends.delete(token); // A later token may have the name.
        if (endMs !== undefined) ends.set(token, endMs);
      }
      return (principal !== null && Date.parse(time) <= (ends.get(principal) ?? 0)) || (token !== undefined && ends.has(token));
    },
    isToken: (principal) => ends.has(principal),
  };
}

/** Undefined: a token of another command. */
function endOf({ grants }: LedgerRecord): number | undefined {
  if (grants === null || grants.length === 0 || !grants.every(({ rules }) => rules.includes(DOCTOR_RULE))) return undefined;
  const ends = grants.flatMap(({ expires_at: end }) => (end === null ? [] : [Date.parse(end)]));
  return ends.length === 0 ? undefined : Math.max(...ends);
}
