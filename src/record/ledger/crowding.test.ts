import { describe, expect, it } from 'vitest';
import { createCrowding } from './crowding.ts';

function counted(...texts: string[]) {
  return createCrowding(() => texts.shift() ?? '');
}

describe('a thread on a machine', () => {
  it('is crowded when it waits for the core', () => {
    expect(counted('1000 500 3', '2000 800 4').look()).toBe(true);
  });

  it('is not when it gets the core as soon as it wants it', () => {
    expect(counted('1000 500 3', '2000 700 4').look()).toBe(false);
  });

  it('is asked about the time since the last look alone', () => {
    const crowding = counted('0 0 0', '1000 900 1', '2000 900 2', '3000 1800 3');
    expect([crowding.look(), crowding.look(), crowding.look()]).toEqual([true, false, true]);
  });

  it.each(['', 'nothing known', '5'])('is not where the kernel says %j', (text) => {
    expect(counted(text, text).look()).toBe(false);
  });

  it('is not where nothing can be read', () => {
    const crowding = createCrowding(() => {
      throw new Error('ENOENT');
    });
    expect(crowding.look()).toBe(false);
  });

  it('can ask this kernel', () => {
    expect(typeof createCrowding().look()).toBe('boolean');
  });
});
