// What each principal was allowed in a period.
import { expect, it } from 'vitest';
import { systemClock } from '../../contract/clock.ts';
import { createUseCounts } from './allowed-uses.ts';
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
    expect(createUseCounts(paths.ledgerFile).step('2026-03-02T00:00:00.000Z')).toEqual({
      uses: [{ principal: 'alice@local', action: 'flows.read', requests: 2, last: '2026-03-03T10:00:00.000Z' }],
      to: null,
    });
  } finally {
    remove();
  }
});

it('counts in steps, each record once, also many of one millisecond and those that arrive at the end meanwhile', async () => {
  const { paths, remove } = tempState();
  try {
    const ledger = await startLedger({ paths, node: 'n1', clock: systemClock });
    const record = (time: string, principal: string) => ledger.append({ time, principal, action: 'flows.read', decision: 'allow' });
    const day = (number: number) => `2026-03-0${number}T00:00:00.000Z`;
    for (const number of [1, 2, 2, 2, 2, 3, 4]) await record(day(number), 'alice@local');
    await record(day(5), 'bob@local');
    await ledger.append({ time: day(5), principal: 'bob@local', action: 'flows.read', decision: 'deny' });
    const counts = createUseCounts(paths.ledgerFile, { stepMs: 0, chunk: 2 });
    const steps = [counts.step(day(1))];
    expect(counts.step(day(4))).toEqual({ uses: [], to: day(5) });
    while (steps.at(-1)?.to !== null) steps.push(counts.step(day(1)));
    expect(steps.slice(0, 3)).toEqual([day(2), day(3), day(5)].map((to) => ({ uses: [], to })));
    const ofAlice = { principal: 'alice@local', action: 'flows.read', requests: 7, last: day(4) };
    expect(steps.at(-1)?.uses).toEqual([ofAlice, { principal: 'bob@local', action: 'flows.read', requests: 1, last: day(5) }]);
    const later = '2099-03-06T00:00:00.000Z';
    await record(later, 'bob@local');
    await ledger.close();
    let last = counts.step(day(1));
    while (last.to !== null) last = counts.step(day(1));
    expect(last.uses).toEqual([ofAlice, { principal: 'bob@local', action: 'flows.read', requests: 2, last: later }]);
  } finally {
    remove();
  }
});
