// traces: where spans are sent.
import type { Traces } from '../config.ts';
import { parseDurationSeconds } from '../duration.ts';
import type { Report } from '../report.ts';
import type { WireSections } from '../schema/index.ts';
import { keepsHeaders, readAuthorities, readHeaders } from './exports.ts';

export interface TracesSection {
  readonly wire: WireSections['traces'];
  readonly baseDir: string;
  readonly secrets: 'read' | 'skip';
}

/** Null: none, or reported. */
export function readTraces({ wire, baseDir, secrets }: TracesSection, report: Report): Traces | null {
  if (wire === undefined) return null;
  const place = { keys: ['traces'], baseDir, secrets, report };
  const url = new URL(wire.url);
  if (url.username !== '' || url.password !== '') {
    report(['traces', 'url'], 'holds a user or a password', 'Put it into headers_file: Authorization: Basic ...');
    return null;
  }
  const headers = readHeaders(wire, place);
  const ca = readAuthorities(wire, place);
  if (headers === undefined || ca === undefined || !keepsHeaders(url.href, wire.headers_file, place)) return null;
  const timeoutMs = Math.max(1, parseDurationSeconds(wire.timeout) ?? 5) * 1000;
  return { url: url.href, headers, ca, timeoutMs, share: Number.parseFloat(wire.sample) / 100 };
}
