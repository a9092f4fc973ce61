// DS-01 in full: fifty thousand guessed tokens, and one token under fifty thousand keys. DS-02: thousands of upgrades a second.
import { describe, expect, it } from 'vitest';
import { floodWithGuesses, floodWithKeys } from '../integration/attacks/floods.ts';
import { useHarness } from '../integration/attacks/harness.ts';
import { floodWithUpgrades } from '../integration/attacks/upgrade-floods.ts';

const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
const COUNT = 50_000;

describe('DS-01: exhaustion, in full', () => {
  it('DS-01: guessed tokens fill nothing, and a good one goes on', () => floodWithGuesses(harness, COUNT));
  it('DS-01: endless ids and user names keep the cache bounded, and others go on', () => floodWithKeys(harness, COUNT));
});

describe('DS-02: upgrades without a credential, in full', () => {
  it.each([
    [2000, 1],
    [4000, 24],
  ])('DS-02: %i a second from %i addresses, and a socket opens within 2 s, also from an address of theirs', async (perSecond, addresses) => {
    const seen = await floodWithUpgrades(harness, { perSecond, addresses, withinMs: 2000, ahead: 5 * perSecond });
    process.stdout.write(`DS-02: ${perSecond}/s from ${addresses}: ${seen}\n`);
  });

  it('DS-02: and SIGTERM takes its normal time', async () => {
    const began = performance.now();
    expect(await harness.gateway.stop()).toEqual([]);
    expect(performance.now() - began).toBeLessThan(4000);
  });
});
