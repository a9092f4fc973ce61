// The same as test/integration/ingest-lag.test.ts in full: five minutes.
import { expect, it } from 'vitest';
import { measureLag } from '../integration/ingest/lag.ts';

it('is less than two seconds behind while 2,000 requests a second come for five minutes, and has each of them once', async () => {
  const lag = await measureLag({ perSecond: 2_000, seconds: 300 });
  process.stderr.write(`${JSON.stringify(lag)}\n`);
  expect(lag.records).toBe(lag.sent);
  expect(lag.others).toBe(0);
  expect(lag.worstMs).toBeLessThan(2_000 + 6 * lag.lateMs);
});
