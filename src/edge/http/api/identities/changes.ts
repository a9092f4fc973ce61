// What the changes of identities share: errors of lower parts as refusals, durations, and a change that takes effect everywhere.
import { z } from 'zod';
import { DURATION_HINT, parseDurationSeconds } from '../../../../config/duration.ts';
import { LictorError } from '../../../../contract/error.ts';
import type { ReasonCode } from '../../../../contract/reasons.ts';
import type { CallContext, ChangeRecord, Result } from '../api-route.ts';

const REFUSALS: Readonly<Record<string, ReasonCode>> = {
  'lock-target-invalid': 'request-invalid',
  'lock-target-unknown': 'request-invalid',
  'principal-unknown': 'not-found',
  'token-name-taken': 'name-taken',
  'change-not-recorded': 'ledger-unavailable',
};

/** An error of a lower part with a meaning for the client becomes a refusal with its words. */
export async function refusing<A>(work: () => Promise<Result<A>>): Promise<Result<A>> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof LictorError ? REFUSALS[error.code] : undefined;
    if (code === undefined || !(error instanceof LictorError)) throw error;
    return { ok: false, code, ...(code !== 'ledger-unavailable' && { detail: error.message }) };
  }
}

/** Throws `change-not-recorded`, which `refusing` reads: the change must not happen. */
export async function recordOrThrow(record: CallContext['record'], change: ChangeRecord): Promise<void> {
  if (!(await record(change))) throw new LictorError('change-not-recorded', 'The change could not be recorded.');
}

/** Removes cached decisions and checks open sockets. A failure is logged: decisions expire after two seconds, and sockets follow the change number. */
export async function takeEffect({ sync, log }: CallContext['parts']): Promise<void> {
  await sync().catch((error: unknown) => log.error({ err: error }, 'remembered decisions could not be swept'));
}

/** Milliseconds. */
export const duration = z.string().transform((written, issues) => {
  const seconds = parseDurationSeconds(written);
  if (seconds !== undefined) return Math.ceil(seconds * 1000);
  issues.addIssue({ code: 'custom', message: DURATION_HINT });
  return z.NEVER;
});
