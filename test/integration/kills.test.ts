// Parts of the gateway are killed under load: the ledger has every answered change, nothing twice, and names each gap. In full: test/endurance/kills.test.ts.
import { expect, it } from 'vitest';
import { killDuring } from './kills/room.ts';

it('control plane, nginx worker, nginx: every answered change has its one record, what else is missing lies in a named gap', async () => {
  const proof = await killDuring({ perSecond: 200, kills: ['control', 'worker', 'nginx'], between: 200 });
  expect(proof.changes).toBeGreaterThan(50);
  process.stderr.write(`${JSON.stringify(proof)}\n`);
}, 300_000);
