// The ledger keeps up with the answers. In full: test/endurance/ingest-lag.test.ts.
import { expect, it } from 'vitest';
import { measureLag } from './ingest/lag.ts';

it('is less than two seconds behind while 2,000 requests a second come, and has each of them once', async () => {
  const lag = await measureLag({ perSecond: 2_000, seconds: 10 });
  process.stderr.write(`${JSON.stringify(lag)}\n`);
  expect(lag.records).toBe(lag.sent);
  expect(lag.others).toBe(0);
  expect(lag.worstMs).toBeLessThan(2_000 + 6 * lag.lateMs);
});
