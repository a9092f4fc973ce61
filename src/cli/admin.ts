// Shared by the commands that change tokens and accounts: opens the store, records the change, and brings it into force everywhere.

import { propagate } from '../authorization/decide/propagate.ts';
import { edgePid } from '../config/pid-file.ts';
import { meantWords } from '../config/suggest.ts';
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import type { RecordedGrant } from '../contract/record.ts';
import { BUILT_IN_ROLES } from '../contract/roles.ts';
import { type Scope, scopeText } from '../contract/scope.ts';
import { appendRecord } from '../record/ledger/append-record.ts';
import { openStore, type Store } from '../store/store.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';

export interface AdminSession extends LoadedContext {
  readonly store: Store;
}

export interface AdminChange {
  readonly action: string;
  readonly resourceType:
    | 'FlowRun'
    | 'ServiceToken'
    | 'AccessToken'
    | 'Login'
    | 'Account'
    | 'Identity'
    | 'Lock'
    | 'LedgerKey'
    | 'Prefect'
    | 'SigningKey'
    | 'Service'
    | 'Approval'
    | 'Observation'
    | 'DoctorRequests';
  /** The name of the object, or the target of a lock. */
  readonly resourceId: string;
  /** The rights that the change gives. */
  readonly grants?: readonly RecordedGrant[];
}

/**
 * Opens the store file directly, so that it works while the gateway is down. Always closes it.
 * Throws CommandFailed without a store, because a command in the wrong directory must not report success on an empty one.
 */
export function withStore<T>(context: CliContext, work: (session: AdminSession) => Promise<T>): Promise<T> {
  return inStore(context, 'existing', work);
}

/** The same for commands that give rights. They may run before the first start, so they create a missing store. */
export function withNewStore<T>(context: CliContext, work: (session: AdminSession) => Promise<T>): Promise<T> {
  return inStore(context, 'any', work);
}

async function inStore<T>(context: CliContext, existing: 'existing' | 'any', work: (session: AdminSession) => Promise<T>): Promise<T> {
  const loaded = await context.loadContext({ secrets: 'skip', store: existing });
  const store = await openStore({ at: loaded.config.storeAt, clock: systemClock });
  try {
    return await work({ ...loaded, store });
  } finally {
    await store.close();
  }
}

/** For changes that give rights. Call it before the change: it throws if it cannot record the change. */
export function recordFirst(loaded: LoadedContext, change: AdminChange): void {
  try {
    append(loaded, change);
  } catch (cause) {
    const why =
      cause instanceof LictorError && cause.code !== 'ledger-unavailable'
        ? cause.message
        : `the ledger ${loaded.paths.ledgerFile} cannot be written. Check the disk space and the owner of the state directory.`;
    throw new CommandFailed(`Nothing was changed: ${why}`, cause);
  }
}

/** For changes that remove rights. Call it after the change: if it cannot record it, it only prints a warning. */
export function recordAfter(context: CliContext, loaded: LoadedContext, change: AdminChange): void {
  try {
    append(loaded, change);
  } catch {
    context.err.write(`lictor: done, but the ledger ${loaded.paths.ledgerFile} cannot be written: this change is not recorded.\n`);
  }
}

/** Returns when no cached decision and no open socket outlives the change. Prints the parts that it did not reach. */
export async function makeItHold({ err, pause }: Pick<CliContext, 'err' | 'pause'>, { paths }: Pick<LoadedContext, 'paths'>): Promise<void> {
  try {
    const reached = await propagate(paths, pause);
    if (reached === 'refused') err.write(NO_ANSWER);
    if (reached === 'away' && edgePid(paths) !== undefined) err.write(AWAY);
  } catch (cause) {
    throw new CommandFailed(
      'The change is made, but remembered decisions could not be swept: they may be served for up to 2 s, and up to 30 s while the control plane is down. Run this command as the user of the gateway.',
      cause,
    );
  }
}

/** The end of a change that removes rights: brings it into force, and records it even if it did not come into force everywhere. */
export async function completeRemoval(context: CliContext, session: AdminSession, ...changes: readonly AdminChange[]): Promise<void> {
  try {
    await makeItHold(context, session);
  } finally {
    for (const change of changes) recordAfter(context, session, change);
  }
}

const NO_ANSWER = `lictor: The control plane did not answer. The change is made, and no remembered decision outlives it.
Open sockets and tunnels were not reached: they stay until the control plane answers again. If it hangs, the supervisor replaces it within 10 s, and that ends them.
`;
const AWAY = `lictor: No control plane is running. The change is made, and no remembered decision outlives it. The next control plane starts with the change.
`;

/** Collects a repeatable --role. */
export function collectRole(text: string, before: readonly string[] = []): readonly string[] {
  if (!BUILT_IN_ROLES.some((role) => role === text))
    throw new UsageError(`--role ${text}: there is no such role.${meantWords(text, BUILT_IN_ROLES)} Roles: ${BUILT_IN_ROLES.join(', ')}.`);
  return [...new Set([...before, text])];
}

/** The scope of a token's or account's roles, as lists show it. */
export function scopeCell(scope: Scope | null): string {
  return scope === null ? 'everything' : scopeText(scope);
}

function append({ paths, operator }: LoadedContext, { action, resourceType, resourceId, grants }: AdminChange): void {
  appendRecord(paths, {
    time: new Date(systemClock()).toISOString(),
    principal: operator.principal,
    principal_kind: 'user',
    on_behalf_of: operator.asserted,
    action,
    resource_type: resourceType,
    resource_id: resourceId,
    ...(resourceType === 'Approval' && { approval_id: resourceId }),
    ...(resourceType === 'FlowRun' && { flow_run_id: resourceId, run_binding: 'verified' }),
    decision: 'allow',
    mode: 'enforce',
    ...(grants !== undefined && { grants }),
  });
}
