import { describe, expect, it } from 'vitest';
import { createFairLine } from './fair-line.ts';

/** Work that ends when the test says; answers the order in which it began. */
function open(waiting: number) {
  const line = createFairLine({ atOnce: 1, waiting });
  const began: string[] = [];
  const ends: (() => void)[] = [];
  const come = (name: string, isKnown = false) =>
    line.run({ from: name.replace(/\d+$/, ''), isKnown }, async () => {
      began.push(name);
      await new Promise<void>((resolve) => ends.push(resolve));
      return name;
    });
  const finishAll = async (all: readonly Promise<unknown>[]): Promise<readonly unknown[]> => {
    const answers = Promise.all(all);
    const timer = setInterval(() => ends.shift()?.(), 0);
    return answers.finally(() => clearInterval(timer));
  };
  return { began, come, finishAll };
}

describe('the queue', () => {
  it('admits networks in turn, so that one with many attempts does not delay another', async () => {
    const { began, come, finishAll } = open(20);
    await finishAll(['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map((name) => come(name)));
    expect(began).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  it('admits a known device before all others, with a separate bound', async () => {
    const { began, come, finishAll } = open(2);
    const strangers = ['a1', 'a2', 'b1'].map((name) => come(name));
    const answers = await finishAll([...strangers, come('k1', true), come('k2', true), come('k3', true)]);
    expect(began).toEqual(['a1', 'k1', 'k2', 'a2', 'b1']);
    expect(answers).toEqual(['a1', 'a2', 'b1', 'k1', 'k2', 'busy']);
  });

  it('admits an unknown device after three known ones, so that they cannot exclude it', async () => {
    const { began, come, finishAll } = open(20);
    const names = ['a1', 'a2', 'k1', 'k2', 'k3', 'k4', 'k5'];
    await finishAll(names.map((name) => come(name, name.startsWith('k'))));
    expect(began).toEqual(['a1', 'k1', 'k2', 'k3', 'a2', 'k4', 'k5']);
  });

  it('is bounded; a network with fewer entries takes the last place of the one with most', async () => {
    const { began, come, finishAll } = open(3);
    const answers = await finishAll(['a1', 'a2', 'a3', 'a4', 'a5', 'b1', 'b2'].map((name) => come(name)));
    expect(answers).toEqual(['a1', 'a2', 'a3', 'busy', 'busy', 'b1', 'busy']);
    expect(began).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  it('empties, also after failed work', async () => {
    const line = createFairLine({ atOnce: 1, waiting: 1 });
    const place = { from: 'a', isKnown: false };
    await expect(line.run(place, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await line.run(place, async () => 1)).toBe(1);
  });
});
