// Sinks of the ledger that are away or behind, from their stored state.
import { existsSync } from 'node:fs';
import type { Config } from '../../../config/config.ts';
import type { StatePaths } from '../../../config/state-dir.ts';
import { readState } from '../../../record/sinks/cursor.ts';
import { openSource } from '../../../record/sinks/source.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

/** A batch may take this long. */
const BEHIND_MS = 5 * 60_000;

/** One verdict for each sink. */
export function checkExports(
  { exports, ledger, node, storeAt }: Pick<Config, 'exports' | 'ledger' | 'node' | 'storeAt'>,
  paths: Pick<StatePaths, 'ledgerFile' | 'exports'>,
  nowMs: number,
): readonly Verdict[] {
  if (exports.length === 0 || !existsSync(paths.ledgerFile)) return [];
  const source = openSource(paths.ledgerFile, { node: typeof storeAt === 'string' ? null : node });
  try {
    return exports.map(({ name, type }) => {
      const what = `the sink ${name} (${type})`;
      const state = readState(paths.exports, name);
      if (state === undefined) return warn(`${what} has received nothing yet`, 'Start lictor up, or reload it.');
      const lag = source.lag(state);
      const waiting = `${lag.records} records wait for it`;
      const lost = state.missed === 0 ? '' : `; retention deleted ${state.missed} records before it got them`;
      if (state.problem !== null)
        return fail(`${what} has failed since ${state.failing_since ?? '?'}: ${state.problem}; ${waiting}${lost}`, remedy(ledger.retentionSeconds));
      const behindMs = lag.oldest === null ? 0 : nowMs - Date.parse(lag.oldest);
      if (behindMs > BEHIND_MS)
        return warn(
          `${what} is ${Math.round(behindMs / 60_000)} minutes behind; ${waiting}${lost}`,
          'The sink is slower than the gateway, or the gateway does not run.',
        );
      return state.missed > 0 || state.rejected > 0
        ? warn(
            `${what} gets records${lost}; it rejected ${state.rejected}`,
            'lictor audit --action ledger.export_gap says which records are missing. control.log says when the sink rejected some.',
          )
        : ok(`${what} gets records; ${waiting}`);
    });
  } finally {
    source.close();
  }
}

function remedy(retentionSeconds: number | null): string {
  const limit =
    retentionSeconds === null
      ? 'No record is lost meanwhile.'
      : `The sink loses records older than ledger.retention (${Math.round(retentionSeconds / 86_400)} days).`;
  return `Fix the receiver, or its url, ca_file or headers_file; the gateway retries within a minute. ${limit}`;
}
