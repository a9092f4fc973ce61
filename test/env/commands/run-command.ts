// Runs a short `lictor` command of a test in the host of commands: most of what one costs is a new Node, and reading the same files again.
import { inject } from 'vitest';
import type { Finished } from '../process.ts';
import type { TimedCall } from './call.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The address of `server.ts`. Null: each command runs in a separate process. */
    commands: string | null;
  }
}

/** Short commands. A command that waits for input, serves, or replaces its process runs in a separate process. */
const SHORT: ReadonlySet<string> = new Set([
  ...['access', 'account', 'agent', 'approvals', 'approve', 'audit', 'check', 'doctor', 'evidence', 'explain', 'identity', 'migrate'],
  ...['lock', 'locks', 'policy', 'services', 'simulate', 'timeline', 'token', 'unlock', 'whoami'],
]);
const WAITS: ReadonlySet<string> = new Set(['-f', '--follow', '--password-stdin']);

/** Where a command may run beside others; undefined: nowhere. What Node and OpenSSL read of the environment, they read as a process starts. */
export function hostFor(words: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const [command = ''] = words;
  const waits = command === 'migrate' && !words.some((word) => word === '--once' || word === '--json');
  const isShort = SHORT.has(command) && !waits && !words.some((word) => WAITS.has(word));
  const isOwn = Object.keys(env).some((name) => /^(NODE|SSL|OPENSSL)_/.test(name));
  return isShort && !isOwn ? (hostHere() ?? undefined) : undefined;
}

/** Null: none, as in a separate program that a test has started (own-internet.ts). */
export function hostHere(): string | null {
  try {
    return inject('commands');
  } catch {
    return null; // Outside of Vitest there is nobody who would have said.
  }
}

/** Has the same result as the command in a separate process. */
export async function runInHost(host: string, call: TimedCall): Promise<Finished> {
  const response = await fetch(host, { method: 'POST', body: JSON.stringify(call) });
  const finished: Finished = JSON.parse(await response.text());
  return finished;
}
