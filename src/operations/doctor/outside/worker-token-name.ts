// The name of the token that `lictor migrate workers` makes for a worker: always the same, so that the worker is recognised by it.
import { createHash } from 'node:crypto';
import type { Worker } from './all-workers.ts';

/** A name of a token has at most 64 characters. */
const READABLE = 48;

/** `etl-1-3f2a9c04`. The digest separates workers of one name in two pools, and names that differ in other characters only. */
export function tokenNameOf({ pool, name }: Worker): string {
  const readable = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  const digest = createHash('sha256')
    .update(JSON.stringify([pool, name]))
    .digest('hex')
    .slice(0, 8);
  return `${readable.slice(0, READABLE) || 'worker'}-${digest}`;
}
