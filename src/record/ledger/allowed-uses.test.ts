// What each principal was allowed in a period.
import { expect, it } from 'vitest';
import { systemClock } from '../../contract/clock.ts';
import { allowedUses } from './allowed-uses.ts';
import { startLedger } from './ledger.ts';
import { tempState } from './lines.fixture.ts';

it('counts allowed requests by principal and action, with the time of the last one, and no denied ones', async () => {
  const { paths, remove } = tempState();
  try {
    const ledger = await startLedger({ paths, node: 'n1', clock: systemClock });
    const record = (time: string, action: string, decision: 'allow' | 'deny') => ledger.append({ time, principal: 'alice@local', action, decision });
    await record('2026-03-01T10:00:00.000Z', 'flows.read', 'allow');
    await record('2026-03-02T10:00:00.000Z', 'flows.read', 'allow');
    await record('2026-03-03T10:00:00.000Z', 'flows.read', 'allow');
    await record('2026-03-03T11:00:00.000Z', 'flows.delete', 'deny');
    await ledger.close();
    expect(allowedUses(paths.ledgerFile, '2026-03-02T00:00:00.000Z', 10)).toEqual([
      { principal: 'alice@local', action: 'flows.read', requests: 2, last: '2026-03-03T10:00:00.000Z' },
    ]);
  } finally {
    remove();
  }
});
