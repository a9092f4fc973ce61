// DS-01 in full: fifty thousand guessed tokens, and one token under fifty thousand keys.
import { describe, it } from 'vitest';
import { floodWithGuesses, floodWithKeys } from '../integration/attacks/floods.ts';
import { useHarness } from '../integration/attacks/harness.ts';

const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
const COUNT = 50_000;

describe('DS-01: exhaustion, in full', () => {
  it('DS-01: guessed tokens fill nothing, and a good one goes on', () => floodWithGuesses(harness, COUNT));
  it('DS-01: endless ids and user names keep the cache bounded, and others go on', () => floodWithKeys(harness, COUNT));
});
