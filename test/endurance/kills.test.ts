// The same as test/integration/kills.test.ts in full: fifty kills at random moments under 500 requests a second.
import { expect, it } from 'vitest';
import { killDuring } from '../integration/kills/room.ts';

const KILLS = 50;
const PER_SECOND = 500;
const TURNS = ['control', 'worker', 'worker', 'control', 'nginx', 'worker', 'control', 'worker', 'control', 'all'] as const;

it('fifty kills: every answered change has its one record, what else is missing lies in a named gap', async () => {
  const kills = Array.from({ length: KILLS }, (_, index) => TURNS[index % TURNS.length] ?? 'worker');
  const proof = await killDuring({ perSecond: PER_SECOND, kills, between: 1_000, withSums: true });
  // An open loop: a machine that is too busy for it says here what was reached.
  process.stderr.write(`${proof.perSecond} of ${PER_SECOND} requests a second: ${JSON.stringify(proof)}\n`);
  expect(proof.changes).toBeGreaterThan(1_000);
}, 3_000_000);
