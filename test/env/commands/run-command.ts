// Runs a short `lictor` command of a test in the host of commands: most of what one costs is a new Node, and reading the same files again.
import { inject } from 'vitest';
import type { Finished } from '../process.ts';
import type { TimedCall } from './call.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where `server.ts` listens; null: each command has a process of its own. */
    commands: string | null;
  }
}

/** Those that do something and end. What waits for somebody, serves, or takes the place of another program has a process of its own. */
const SHORT: ReadonlySet<string> = new Set([
  ...['access', 'account', 'audit', 'check', 'doctor', 'evidence', 'explain', 'identity'],
  ...['lock', 'locks', 'policy', 'services', 'simulate', 'timeline', 'token', 'unlock'],
]);
const WAITS: ReadonlySet<string> = new Set(['-f', '--follow', '--password-stdin']);

/** Where a command may run beside others; undefined: nowhere. What Node and OpenSSL read of the environment, they read as a process starts. */
export function hostFor(words: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const [command = ''] = words;
  const isShort = SHORT.has(command) && !words.some((word) => WAITS.has(word));
  const isOwn = Object.keys(env).some((name) => /^(NODE|SSL|OPENSSL)_/.test(name));
  return isShort && !isOwn ? (hostHere() ?? undefined) : undefined;
}

/** Null: none, as in a program of its own that a test has started (own-internet.ts). */
export function hostHere(): string | null {
  try {
    return inject('commands');
  } catch {
    return null; // Outside of Vitest there is nobody who would have said.
  }
}

/** Ends as the command in a process of its own would. */
export async function runInHost(host: string, call: TimedCall): Promise<Finished> {
  const response = await fetch(host, { method: 'POST', body: JSON.stringify(call) });
  const finished: Finished = JSON.parse(await response.text());
  return finished;
}
