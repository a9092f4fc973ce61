// Every command: its summary for --help, and the file that Lictor loads to run it.
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
  { name: 'demo', summary: 'try a real Prefect behind the gateway', load: () => import('./demo.ts') },
  { name: 'init', summary: 'write lictor.yaml for your Prefect', load: () => import('./init.ts') },
  { name: 'up', summary: 'run the gateway in the foreground', load: () => import('./up.ts') },
  { name: 'check', summary: 'validate the configuration', load: () => import('./check.ts') },
  { name: 'backup', summary: 'write an encrypted backup of the state', load: () => import('./backup.ts') },
  { name: 'restore', summary: 'restore the state from a backup', load: () => import('./restore.ts') },
  { name: 'upgrade', summary: 'find what this version breaks', load: () => import('./upgrade.ts') },
  { name: 'doctor', summary: 'find problems of a running gateway', load: () => import('./doctor.ts') },
  { name: 'support', summary: 'write a support bundle without secrets', load: () => import('./support.ts') },
  { name: 'health', summary: 'check that the gateway of this machine runs', load: () => import('./health.ts') },
  { name: 'explain', summary: 'explain an authorization decision', load: () => import('./explain.ts') },
  { name: 'access', summary: 'list who may do an action', load: () => import('./access.ts') },
  { name: 'login', summary: 'log in with your browser', load: () => import('./login.ts') },
  { name: 'logout', summary: 'log out and revoke the login', load: () => import('./logout.ts') },
  { name: 'whoami', summary: 'show the authenticated principal', load: () => import('./whoami.ts') },
  { name: 'exec', summary: 'run a command with fresh credentials', load: () => import('./exec.ts') },
  { name: 'token', summary: 'manage service tokens for machines', load: () => import('./token.ts') },
  { name: 'rotate', summary: "replace Prefect's credential or a signing key", load: () => import('./rotate.ts') },
  { name: 'account', summary: 'manage built-in accounts for people', load: () => import('./account.ts') },
  { name: 'lock', summary: 'lock out a principal, session or address', load: () => import('./lock.ts') },
  { name: 'unlock', summary: 'remove a lock', load: () => import('./unlock.ts') },
  { name: 'locks', summary: 'list the locks in force', load: () => import('./locks.ts') },
  { name: 'agent', summary: 'list, stop and resume AI agents', load: () => import('./agent.ts') },
  { name: 'approvals', summary: 'list requests that wait for approval', load: () => import('./approvals.ts') },
  { name: 'approve', summary: 'approve a waiting request', load: () => import('./decide-approval.ts').then(({ approve }) => approve) },
  { name: 'deny', summary: 'deny a waiting request', load: () => import('./decide-approval.ts').then(({ deny }) => deny) },
  { name: 'policy', summary: 'manage your own policies', load: () => import('./policy.ts') },
  { name: 'services', summary: 'purge the response cache of services', load: () => import('./services.ts') },
  { name: 'simulate', summary: 'replay recorded decisions against other policies', load: () => import('./simulate.ts') },
  { name: 'identity', summary: 'manage users of identity providers', load: () => import('./identity.ts') },
  { name: 'audit', summary: 'search, verify and export the ledger', load: () => import('./audit.ts') },
  {
    name: 'evidence',
    summary: 'write an access review and audit report',
    load: () => import('./evidence.ts'),
  },
  { name: 'observe', summary: 'show what enforcement would deny', load: () => import('./observe.ts') },
  { name: 'enforce', summary: 'enforce the policies for a role or group', load: () => import('./enforce.ts') },
  { name: 'migrate', summary: 'move workers to the gateway one by one', load: () => import('./migrate.ts') },
  { name: 'store', summary: 'move the store to Postgres', load: () => import('./store.ts') },
  { name: 'timeline', summary: 'show the timeline of a flow run', load: () => import('./timeline.ts') },
  { name: 'bench', summary: 'measure the gateway on this machine', load: () => import('./bench.ts') },
  { name: 'completion', summary: 'print a shell completion script', load: () => import('./completion.ts') },
  { name: 'test', summary: 'run the tests', load: () => import('./test.ts') },
];

/** Planned commands: they only report that they are not built yet. */
export const LATER_COMMANDS: readonly string[] = ['import', 'plan', 'apply', 'soak'];
