// services[].sockets: WebSockets of a service, and what cannot hold for them, so that it must not stand beside.
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';

/** A socket is no answer: what is counted, paced, signed or chosen by nginx for each call would be a promise that nobody keeps. */
export function readSockets({ sockets, inject, limit, balance }: WireService, keys: Keys, report: Report): boolean {
  if (!sockets) return false;
  const beside = (what: string, remedy: string): void => report([...keys, 'sockets'], `stands beside ${what}`, remedy);
  const apart = 'Make a service of its own for sockets, with the same servers and without it.';
  if (inject !== undefined && 'query' in inject)
    beside('inject.query, which would be in no handshake', 'Show the key in a header (inject.header), or make a service of its own for sockets.');
  if (inject !== undefined && 'sigv4' in inject) beside('inject.sigv4, which signs calls and no handshake', apart);
  if (limit !== undefined)
    beside(`limit.${Object.entries(limit).find(([key, value]) => key !== 'per' && value !== null)?.[0] ?? 'per'}, which counts and paces calls`, apart);
  if (balance === 'hash_by_run') beside('balance: hash_by_run, which holds for calls alone', 'Take another balance, or make a service of its own for sockets.');
  return true;
}
