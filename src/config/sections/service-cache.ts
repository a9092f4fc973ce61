// services[].cache: which answers are stored, for how long, and who shares them.

import { parseDurationSeconds } from '../duration.ts';
import type { Keys, Report } from '../report.ts';
import type { WireService } from '../schema/services.ts';
import type { CacheRule } from '../service.ts';
import { readPatterns } from './service-routes.ts';

type WireRule = NonNullable<WireService['cache']>[number];

/** What is wrong has been reported. */
export function readServiceCache(wire: WireService['cache'], keys: Keys, report: Report): readonly CacheRule[] {
  const seen = new Set<string>();
  return (wire ?? []).map((rule, index) => {
    const at = [...keys, index];
    const patterns = readPatterns(rule.paths, [...at, 'paths'], report);
    for (const pattern of patterns) {
      if (seen.has(pattern)) report([...at, 'paths'], `names ${pattern}, which is named already`, 'Name each path once.');
      seen.add(pattern);
    }
    return {
      patterns,
      ttlSeconds: rule.ttl === 'upstream' ? null : wholeSeconds(rule.ttl, [...at, 'ttl'], report),
      shared: rule.shared,
      mostBytes: readBytes(rule.max_answer, [...at, 'max_answer'], report),
      staleSeconds: rule.stale_if_error === undefined ? 0 : wholeSeconds(rule.stale_if_error, [...at, 'stale_if_error'], report),
    };
  });
}

const UNITS: Readonly<Record<string, number>> = { kB: 1_000, MB: 1_000_000 };
const LARGEST_BYTES = 64_000_000;

/** `10MB`, the default. All answers on their way to the cache share 128 MiB. */
function readBytes(text: WireRule['max_answer'], keys: Keys, report: Report): number {
  const [, count = '10', unit = 'MB'] = /^([0-9]+)(kB|MB)$/.exec(text ?? '') ?? [];
  const bytes = Number(count) * (UNITS[unit] ?? 1);
  if (bytes > LARGEST_BYTES) report(keys, 'is more than the cache stores of one answer', 'Give at most 64MB.');
  return bytes;
}

/** Fractions are refused, as in every version before. */
function wholeSeconds(text: string, keys: Keys, report: Report): number {
  const seconds = parseDurationSeconds(text) ?? 0;
  if (!Number.isInteger(seconds)) report(keys, 'is no whole number of seconds', 'Write it as 5s or 10m.');
  return Math.ceil(seconds);
}
