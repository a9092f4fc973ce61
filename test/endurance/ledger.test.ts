// The ledger at size: a thousand changes by hand, and a million records examined.
import { describe, expect, it } from 'vitest';
import { verifyStore, writeRecords } from '../../src/record/ledger/chain/chain.fixture.ts';
import { createRandom, cutToEarlierHead, expectFound, makeLedgers, TAMPERINGS } from '../../src/record/ledger/chain/tampering.fixture.ts';
import { tempState } from '../../src/record/ledger/lines.fixture.ts';

describe('lictor audit verify', () => {
  it.each([
    [1_000, 2_000],
    [20, 100_000],
  ])('finds each of %i changes of %i records, and says where', (times, records) => {
    const ledgers = makeLedgers(records);
    const random = createRandom(1_125_2026);
    const inPlace = Object.entries(TAMPERINGS).map(([name, tamper]) => [name, () => ledgers.afterChange((db) => tamper(db, random, records))] as const);
    const kinds = [...inPlace, ['cut off to an earlier head', () => cutToEarlierHead(ledgers, random)] as const];
    for (let time = 0; time < times; time += 1) {
      const [name, change] = kinds[time % kinds.length] ?? [];
      if (change !== undefined) expectFound(change(), `${name}, number ${time}`);
    }
    ledgers.remove();
  });

  it('examines a million records in less than a minute', () => {
    const state = tempState();
    writeRecords(state.paths, 1_000_000, { perTransaction: 1_000 });
    const [startedMs, cpu] = [performance.now(), process.cpuUsage()];
    expect(verifyStore(state.paths)).toMatchObject({ problems: [], chains: [{ records: 1_000_000 }] });
    const seconds = (performance.now() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    process.stderr.write(`a million records examined in ${seconds.toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU\n`);
    expect(seconds).toBeLessThan(60);
    state.remove();
  });
});
