// Reports a reload to the terminal, the log and the ledger: applied, or rejected with every problem.
import { userInfo } from 'node:os';
import { type Problem, renderProblem } from '../config/problem.ts';
import { LictorError } from '../contract/error.ts';
import type { FromControl } from '../contract/ipc.ts';
import type { NewRecord } from '../contract/record.ts';
import { boundGrants } from '../identity/authn/recorded-grants.ts';
import type { CurrentRuntime } from './current-runtime.ts';
import type { ProcessServices } from './process-services.ts';

export interface ReportParts {
  readonly shared: Pick<ProcessServices, 'log' | 'ledger' | 'clock'>;
  readonly current: CurrentRuntime;
  readonly configFile: string;
  readonly send: (message: FromControl) => void;
}

export interface Applied {
  readonly from: number;
  /** nginx reads its files. */
  readonly nginx: boolean;
  /** Sections of the file. */
  readonly changed: readonly string[];
  /** Steps that failed after the swap, in words that complete "it is applied, but". */
  readonly unfinished: readonly string[];
}

export async function reportApplied(parts: ReportParts, { from, nginx, changed, unfinished }: Applied): Promise<void> {
  const { revision: to, config } = parts.current.get();
  parts.shared.log.info({ from, to, nginx, changed }, 'configuration applied');
  const sections = changed.join(', ');
  // A revision counts what decides: a renewed certificate, another password of Prefect or another sink of the ledger has none.
  const same = nginx || sections !== '' ? `applied: revision ${to}, as before` : `nothing in it has changed (revision ${to})`;
  const what = `${from === to ? same : `applied: revision ${from} -> ${to}`}${sections === '' ? '' : `; changed: ${sections}`}`;
  const but = unfinished.map((words) => ` But ${words} (control.log says why).`).join('');
  parts.send({ type: 'notice', text: `lictor: ${parts.configFile}: ${what}${nginx ? '; nginx reads its new configuration' : ''}.${but}` });
  const record = {
    reason: 'config-applied',
    decision: 'allow',
    revision: to,
    resource_id: `${from} -> ${to}`,
    tool: sections === '' ? null : sections,
    ...(changed.some((section) => ['roles', 'agents'].includes(section)) && { grants: boundGrants(config) }),
  } as const;
  await recordReload(parts, { ...localUser(), ...record });
}

export async function reportRejected(parts: ReportParts, problems: readonly Problem[], by?: 'system'): Promise<void> {
  const { shared, configFile, current } = parts;
  for (const { path, message, remedy, line } of problems) shared.log.error({ path, remedy, line }, `reload refused: ${message}`);
  const text = problems.map((problem) => renderProblem(configFile, problem)).join('');
  parts.send({
    type: 'notice',
    text: `${text}lictor: ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}: nothing was changed, the gateway runs on as it was.`,
  });
  const who = by === 'system' ? { principal: 'system', principal_kind: null } : localUser();
  const { revision } = current.get();
  await recordReload(parts, { ...who, reason: 'config-refused', decision: 'deny', revision, resource_id: `${revision} -> ${revision}` });
}

export function failure({ shared }: ReportParts, error: unknown): Problem {
  shared.log.error({ err: error }, 'reload failed');
  const message = error instanceof LictorError ? error.message : 'it could not be applied (control.log says why)';
  return { path: '', message, remedy: 'Fix what is named, then reload again.' };
}

/** For use after a swap: the new runtime stays, and decision-sync.ts retries a sweep that failed. */
export async function syncOrLog({ sync, log }: Pick<ProcessServices, 'sync' | 'log'>): Promise<void> {
  await sync().catch((error: unknown) => log.error({ err: error }, 'it is applied, but what was decided before is not all taken back yet'));
}

/** A reload is not rolled back when it cannot be recorded: the ledger's health reports that. */
export async function recordReload({ shared }: ReportParts, change: Omit<NewRecord, 'time'>): Promise<void> {
  const time = new Date(shared.clock()).toISOString();
  await shared.ledger
    .append({ time, action: 'config.reload', resource_type: 'Configuration', mode: 'enforce', ...change })
    .catch((error: unknown) => shared.log.error({ err: error }, 'a reload could not be recorded'));
}

/** Only our own user and root can send us a signal; the signal does not say which of them did. */
export function localUser(): { readonly principal: string; readonly principal_kind: 'user' } {
  try {
    return { principal: `local:${userInfo().username}`, principal_kind: 'user' };
  } catch {
    return { principal: `local:uid-${process.geteuid?.() ?? 'unknown'}`, principal_kind: 'user' };
  }
}
