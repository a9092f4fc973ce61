// The number of the published config and policy set: it grows by one whenever either changes, and every decision carries it.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

interface Published {
  readonly number: number;
  readonly fingerprint: string;
}

/** `parts`: texts whose change makes a new revision; no secrets among them. Kept in `file` (JSON). */
export function publishRevision(file: string, parts: readonly string[]): number {
  const fingerprint = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  const last = readPublished(file);
  if (last?.fingerprint === fingerprint) return last.number;
  const next: Published = { number: (last?.number ?? 0) + 1, fingerprint };
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify(next)}\n`, { mode: 0o600, flush: true });
  renameSync(beside, file);
  return next.number;
}

/** Secrets, and what decides nothing. */
const NOT_DECIDING: ReadonlySet<string> = new Set(['authString', 'apiKey', 'next', 'clientSecret', 'injected', 'exports', 'metrics', 'traces']);

/** What of a configuration makes a new revision when it changes. */
export function decidingText(config: object): string {
  return JSON.stringify(config, (key, value: unknown) => (NOT_DECIDING.has(key) ? undefined : value));
}

/** The number in use; null before the first publication. For readers: nothing is written. */
export function publishedRevision(file: string): number | null {
  return readPublished(file)?.number ?? null;
}

/** Undefined before the first publication; a damaged file throws, since numbers must not be given out twice. */
function readPublished(file: string): Published | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined; // not published yet
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('number' in value) || !('fingerprint' in value)) throw new Error(`${file} is damaged`);
  if (typeof value.number !== 'number' || typeof value.fingerprint !== 'string') throw new Error(`${file} is damaged`);
  return { number: value.number, fingerprint: value.fingerprint };
}
