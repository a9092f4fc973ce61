// The ledger at size: a thousand changes by hand, and a million records examined.
import { describe, expect, it } from 'vitest';
import { verifyStore, writeRecords } from '../../src/ledger/chain/chain.fixture.ts';
import { createRandom, makeLedgers, TAMPERINGS } from '../../src/ledger/chain/tampering.fixture.ts';
import { tempState } from '../../src/ledger/lines.fixture.ts';

describe('lictor audit verify', () => {
  it.each([
    [1_000, 2_000],
    [20, 100_000],
  ])('finds each of %i changes of %i records', (times, records) => {
    const ledgers = makeLedgers(records);
    const random = createRandom(1_125_2026);
    const kinds = Object.entries(TAMPERINGS);
    for (let time = 0; time < times; time += 1) {
      const [name, tamper] = kinds[time % kinds.length] ?? ['', () => undefined];
      expect(ledgers.afterChange((db) => tamper(db, random, records)).problems, `${name}, number ${time}`).not.toEqual([]);
    }
    ledgers.remove();
  });

  it('examines a million records in less than a minute', () => {
    const state = tempState();
    writeRecords(state.paths, 1_000_000, { perTransaction: 1_000 });
    const startedMs = performance.now();
    expect(verifyStore(state.paths)).toMatchObject({ problems: [], chains: [{ records: 1_000_000 }] });
    const seconds = (performance.now() - startedMs) / 1_000;
    process.stderr.write(`a million records examined in ${seconds.toFixed(1)} s\n`);
    expect(seconds).toBeLessThan(60);
    state.remove();
  });
});
