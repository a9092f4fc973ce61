// What the routes of runs share: the size of a page, and what an answer says if the ledger cannot be read.
import { z } from 'zod';
import { LictorError } from '../../../../contract/error.ts';
import type { CallContext, Result } from '../api-route.ts';

export function pageSize(most: number) {
  const hint = `a whole number from 1 to ${most}.`;
  return z
    .string()
    .regex(/^[1-9]\d{0,4}$/, hint)
    .transform(Number)
    .refine((count) => count <= most, hint)
    .optional();
}

export async function answerOf<A>({ log }: Pick<CallContext['parts'], 'log'>, read: () => Promise<Result<A>>): Promise<Result<A>> {
  try {
    return await read();
  } catch (error) {
    const code = error instanceof LictorError ? error.code : undefined;
    if (error instanceof LictorError && (code === 'run-unknown' || code === 'name-unknown')) return { ok: false, code: 'not-found', detail: error.message };
    log.warn({ err: error }, 'a timeline could not be read');
    return { ok: false, code: 'gateway-unavailable', detail: 'The ledger could not be read in time. Ask again.' };
  }
}
