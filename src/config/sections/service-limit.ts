// services[].limit: how fast a service may be called, and how long a call waits for its turn.
import type { ServiceLimit } from '../config.ts';
import { parseDurationSeconds } from '../duration.ts';
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';

/** Null: none, or reported. */
export function readServiceLimit(wire: WireService['limit'], keys: Keys, report: Report): ServiceLimit | null {
  if (wire === undefined) return null;
  const { per = 'principal', rate, burst, max_wait: maxWait, concurrency = null } = wire;
  if (rate !== undefined) return { per, rate: readRate({ rate, burst, maxWait }, keys, report), concurrency };
  if (burst !== undefined || maxWait !== undefined) report([...keys, burst === undefined ? 'max_wait' : 'burst'], 'needs a rate', 'Add rate: 50/s.');
  else if (concurrency === null) report(keys, 'limits nothing', 'Give rate: 50/s, or concurrency: 10.');
  return { per, rate: null, concurrency };
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
