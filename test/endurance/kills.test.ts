// The same as test/integration/kills.test.ts in full: fifty kills at random moments under 500 requests a second.
import { expect, it } from 'vitest';
import { killDuring } from '../integration/kills/room.ts';

const KILLS = 50;
const TURNS = ['control', 'worker', 'worker', 'control', 'nginx', 'worker', 'control', 'worker', 'control', 'all'] as const;

it('fifty kills: every answered change has its one record, what else is missing lies in a named gap', async () => {
  const kills = Array.from({ length: KILLS }, (_, index) => TURNS[index % TURNS.length] ?? 'worker');
  const proof = await killDuring({ perSecond: 500, kills, between: 1_000 });
  process.stderr.write(`${JSON.stringify(proof)}\n`);
  expect(proof.changes).toBeGreaterThan(1_000);
}, 3_000_000);
