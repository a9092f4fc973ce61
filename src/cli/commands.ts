// Every command: its summary for --help, and the file that is loaded when it is called.
import type { Command } from 'commander';
import type { CliContext } from './context.ts';

export interface CommandModule {
  /** Adds the command with its options, help example and action. */
  register(program: Command, context: CliContext): void;
}

interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

export const COMMANDS: readonly CommandEntry[] = [
  { name: 'demo', summary: 'a real Prefect behind the gateway, with a sample flow', load: () => import('./demo.ts') },
  { name: 'up', summary: 'run the gateway in the foreground', load: () => import('./up.ts') },
  { name: 'check', summary: 'validate the configuration and the rendered nginx configuration', load: () => import('./check.ts') },
  { name: 'doctor', summary: 'what is wrong, from inside and outside, with remedies', load: () => import('./doctor.ts') },
  { name: 'explain', summary: 'may they do this, and why', load: () => import('./explain.ts') },
  { name: 'access', summary: 'who may do this, by which role and policy', load: () => import('./access.ts') },
  { name: 'login', summary: 'log in by your browser, for lictor exec and lictor whoami', load: () => import('./login.ts') },
  { name: 'logout', summary: 'end that login, at the gateway and here', load: () => import('./logout.ts') },
  { name: 'whoami', summary: 'whom the gateway takes you for', load: () => import('./whoami.ts') },
  { name: 'exec', summary: 'run a command with a fresh credential on every request and socket', load: () => import('./exec.ts') },
  { name: 'token', summary: 'service tokens for workers, CI and other programs', load: () => import('./token.ts') },
  { name: 'rotate', summary: "replace the gateway's own credential for Prefect, or its keys", load: () => import('./rotate.ts') },
  { name: 'account', summary: 'built-in accounts for people, with a password', load: () => import('./account.ts') },
  { name: 'lock', summary: 'shut out a principal, session, provider or address, now', load: () => import('./lock.ts') },
  { name: 'unlock', summary: 'take a lock away', load: () => import('./unlock.ts') },
  { name: 'locks', summary: 'every lock that holds', load: () => import('./locks.ts') },
  { name: 'policy', summary: 'own policies: apply, history, show, diff, rollback', load: () => import('./policy.ts') },
  { name: 'services', summary: 'throw away what is kept of the answers of services', load: () => import('./services.ts') },
  { name: 'simulate', summary: 'which recorded decisions other policies would make otherwise', load: () => import('./simulate.ts') },
  { name: 'identity', summary: 'people of identity providers who have come', load: () => import('./identity.ts') },
  { name: 'audit', summary: 'the ledger: who did what, when, from where', load: () => import('./audit.ts') },
  {
    name: 'evidence',
    summary: 'the access review and audit report of a period',
    load: () => import('./evidence.ts'),
  },
  { name: 'timeline', summary: 'requests, decisions and states of one flow run, in time order', load: () => import('./timeline.ts') },
  { name: 'bench', summary: 'measure the gateway on this machine against bare nginx and others', load: () => import('./bench.ts') },
  { name: 'completion', summary: 'a script that completes commands in bash, zsh or fish', load: () => import('./completion.ts') },
  { name: 'test', summary: 'run every test', load: () => import('./test.ts') },
];

/** Commands of the fixed contract whose part comes later; called, they say so. */
export const LATER_COMMANDS: readonly string[] = [
  'approve',
  'deny',
  'approvals',
  'init',
  'import',
  'observe',
  'enforce',
  'migrate',
  'agent',
  'store',
  'backup',
  'restore',
  'plan',
  'apply',
  'upgrade',
  'support',
  'soak',
];
