// services[].limit: the rate of calls, how long a call waits for its turn, and the bandwidth of an answer.
import { z } from 'zod';
import type { Report } from '../report.ts';
import { reporter } from '../schema/issues.ts';
import { count, parseBytes, rate, seconds } from '../schema/scalars.ts';
import type { ServiceLimit } from '../service.ts';

const bandwidth = z
  .string()
  .regex(/^[1-9][0-9]{0,5}(kB|MB|GB)\/s$/, 'Write bytes per second: 10MB/s.')
  .transform(parseBytes);

const wireLimit = z.strictObject({
  per: z.enum(['principal', 'service']).default('principal').describe('Whose: principal (each run by itself), or service (all callers together).'),
  rate: rate.optional().describe('Calls per second: 50/s.'),
  burst: count
    .optional()
    .describe('How many go on at once beside the first one, before the others wait. Default: none with max_wait, else as many as in a second.'),
  max_wait: seconds.optional().describe('How long a call may wait for its turn; beyond that 429. Default: none waits.'),
  concurrency: count.optional().describe('How many may be under way at once; beyond that 429.'),
  bandwidth: bandwidth.optional().describe('How fast one answer may come, in bytes per second: 10MB/s (kB, MB, GB). Calls of one caller at once have it each.'),
});

type Wire = z.output<typeof wireLimit>;

export const limitKey = wireLimit
  .transform((wire, issues): ServiceLimit => {
    const { per, concurrency = null, bandwidth: bytes = null } = wire;
    const report = reporter(issues);
    if (wire.rate !== undefined) return { per, rate: readRate({ ...wire, rate: wire.rate }, report), concurrency, bandwidth: bytes };
    const alone = (['burst', 'max_wait'] as const).find((key) => wire[key] !== undefined);
    if (alone !== undefined) report([alone], 'needs a rate', 'Add rate: 50/s.');
    else if (concurrency === null && bytes === null) report([], 'limits nothing', 'Give rate: 50/s, concurrency: 10, or bandwidth: 10MB/s.');
    return { per, rate: null, concurrency, bandwidth: bytes };
  })
  .describe('How fast it may be called.');

function readRate({ rate: written, burst, max_wait: maxWait }: Wire & { readonly rate: string }, report: Report): ServiceLimit['rate'] {
  const perSecond = Number.parseInt(written, 10);
  const waiting = Math.floor((maxWait ?? 0) * perSecond);
  if (maxWait !== undefined && waiting === 0) report(['max_wait'], 'is shorter than one turn at this rate', 'Make it longer, or remove it.');
  return { perSecond, atOnce: burst ?? (waiting > 0 ? 0 : perSecond), waiting };
}
