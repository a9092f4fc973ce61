import { describe, expect, it } from 'vitest';
import { createDecisionSync } from './decision-sync.ts';

describe('making a change hold', () => {
  const room = () => {
    const state = { number: 7, sweeps: 0, rechecks: 0, broken: false };
    const sync = createDecisionSync({
      changeNumber: async () => state.number,
      forget: () => undefined,
      sweep: async () => {
        state.sweeps += 1;
        if (state.broken) throw new Error('no such directory');
      },
      recheck: async () => {
        state.rechecks += 1;
      },
    });
    return { state, sync };
  };

  it('sweeps and decides sockets again when the number moves, once', async () => {
    const { state, sync } = room();
    await sync.ifChanged();
    expect(state).toMatchObject({ sweeps: 0, rechecks: 0 });
    state.number += 1;
    await sync.ifChanged();
    await sync.ifChanged();
    expect(state).toMatchObject({ sweeps: 1, rechecks: 1 });
  });
  it('tries again after a round that failed, although the number stays', async () => {
    const { state, sync } = room();
    await sync.ifChanged();
    state.broken = true;
    state.number += 1;
    await expect(sync.now()).rejects.toThrow('no such directory');
    await expect(sync.ifChanged()).rejects.toThrow('no such directory');
    state.broken = false;
    await sync.ifChanged();
    expect(state.sweeps).toBe(3);
    await sync.ifChanged();
    expect(state.sweeps).toBe(3);
  });
  it('runs a whole round for a call that comes during one', async () => {
    const { state, sync } = room();
    await Promise.all([sync.now(), sync.now()]);
    expect(state.sweeps).toBe(2);
  });
});
