// Keys that a reload cannot change: other processes hold what they name.
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

interface RestartKey {
  readonly path: string;
  readonly value: (config: Config) => unknown;
  readonly because: string;
}

const RESTART_KEYS: readonly RestartKey[] = [
  { path: 'public_url', value: ({ publicUrl }) => publicUrl, because: 'sessions, links and the ledger depend on it' },
  { path: 'listen', value: ({ listen }) => listen, because: 'a port that is taken would be noticed only after the change' },
  { path: 'tls', value: ({ tls }) => tls !== null, because: 'the listeners speak either http or https' },
  { path: 'ledger.retention', value: ({ ledger }) => ledger.retentionSeconds, because: 'the ledger has a thread of its own' },
  { path: 'node', value: ({ node }) => node, because: 'the ledger has a chain of that name' },
  { path: 'store', value: ({ storeAt }) => storeAt, because: 'it is open' },
  { path: 'store_listen', value: ({ storeListen }) => storeListen, because: 'it is open' },
];

/** Why a key cannot be changed by a reload; undefined: it can. */
export function restartReason(path: string): string | undefined {
  return RESTART_KEYS.find((key) => key.path === path)?.because;
}

/** What `next` changes and only a restart can. */
export function checkRestartKeys(running: Config, next: Config): readonly Problem[] {
  return RESTART_KEYS.filter(({ value }) => JSON.stringify(value(running)) !== JSON.stringify(value(next))).map(({ path, because }) => ({
    path,
    message: `differs from what is running, and a reload cannot change it: ${because}`,
    remedy: 'Restart lictor up to change it, or put the old value back and reload.',
  }));
}
