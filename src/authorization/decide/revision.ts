// The number of the published configuration and policy set. It increases with each change, and every decision contains it.
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';

interface Published {
  readonly number: number;
  readonly fingerprint: string;
}

/** `parts`: texts without secrets. A change of one makes a new revision. Stored in `file` (JSON). */
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

/** Secrets, and sections without effect on decisions. */
const NOT_DECIDING: ReadonlySet<string> = new Set(['authString', 'apiKey', 'next', 'clientSecret', 'injected', 'exports', 'notify', 'metrics', 'traces']);

/** The part of a configuration whose change makes a new revision. */
export function decidingText(config: object): string {
  return JSON.stringify(config, (key, value: unknown) => (NOT_DECIDING.has(key) ? undefined : value));
}

/** The current number; null before the first publication. Writes nothing. */
export function publishedRevision(file: string): number | null {
  return readPublished(file)?.number ?? null;
}

/** Undefined before the first publication. Throws for a damaged file, since Lictor must not use a number twice. */
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
