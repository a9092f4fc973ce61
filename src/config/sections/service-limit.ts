// services[].limit: how fast a service may be called, how long a call waits for its turn, and how fast an answer comes.

import { parseDurationSeconds } from '../duration.ts';
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';
import type { ServiceLimit } from '../service.ts';

/** Null: none, or reported. */
export function readServiceLimit(wire: WireService['limit'], keys: Keys, report: Report): ServiceLimit | null {
  if (wire === undefined) return null;
  const { per = 'principal', rate, burst, max_wait: maxWait, concurrency = null } = wire;
  const bandwidth = readBandwidth(wire.bandwidth);
  if (rate !== undefined) return { per, rate: readRate({ rate, burst, maxWait }, keys, report), concurrency, bandwidth };
  if (burst !== undefined || maxWait !== undefined) report([...keys, burst === undefined ? 'max_wait' : 'burst'], 'needs a rate', 'Add rate: 50/s.');
  else if (concurrency === null && bandwidth === null) report(keys, 'limits nothing', 'Give rate: 50/s, concurrency: 10, or bandwidth: 10MB/s.');
  return { per, rate: null, concurrency, bandwidth };
}

const UNITS: Readonly<Record<string, number>> = { kB: 1_000, MB: 1_000_000, GB: 1_000_000_000 };

/** `10MB/s` -> bytes per second; the schema has seen to its form. */
function readBandwidth(text: string | undefined): number | null {
  const [, count = '', unit = ''] = /^([0-9]+)(kB|MB|GB)\/s$/.exec(text ?? '') ?? [];
  return text === undefined ? null : Number(count) * (UNITS[unit] ?? 1);
}

interface WireRate {
  readonly rate: string;
  readonly burst: number | undefined;
  readonly maxWait: string | undefined;
}

function readRate({ rate, burst, maxWait }: WireRate, keys: Keys, report: Report): ServiceLimit['rate'] {
  const perSecond = Number.parseInt(rate, 10);
  const waiting = Math.floor((parseDurationSeconds(maxWait ?? '') ?? 0) * perSecond);
  if (maxWait !== undefined && waiting === 0) report([...keys, 'max_wait'], 'is shorter than one turn at this rate', 'Make it longer, or remove it.');
  return { perSecond, atOnce: burst ?? (waiting > 0 ? 0 : perSecond), waiting };
}
