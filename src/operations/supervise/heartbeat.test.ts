import { expect, it } from 'vitest';
import { createHeartbeat, type Health, type Heartbeat } from './heartbeat.ts';

const LIMITS = { silentLooks: 2, hungLooks: 4, startLooks: 6 };

/** One look a second; `share` is of a core. */
function looks(heartbeat: Heartbeat) {
  let [atMs, cpuMs] = [0, 0];
  return (state: string, share: number, times = 1): readonly Health[] =>
    Array.from({ length: times }, () => {
      atMs += 1000;
      cpuMs += share * 1000;
      return heartbeat.look({ state, cpuMs, atMs });
    });
}

function readyOne() {
  const heartbeat = createHeartbeat(LIMITS);
  heartbeat.ready();
  const look = looks(heartbeat);
  look('S', 0.1);
  return { heartbeat, look };
}

it.each([
  ['is stopped', 'T', 0],
  ['sleeps past its beat', 'S', 0],
  ['goes round in circles', 'R', 1],
])('takes one that %s for silent, and then for hung', (_what, state, share) => {
  expect(readyOne().look(state, share, 4)).toEqual(['well', 'silent', 'silent', 'hung']);
});

it.each([
  ['waits for a core', 'R', 0.2],
  ['waits for the disk', 'D', 0],
])('does not take one for hung that %s, however long', (_what, state, share) => {
  expect(new Set(readyOne().look(state, share, 100))).toEqual(new Set(['well']));
});

it('takes one for well again as soon as it beats', () => {
  const { heartbeat, look } = readyOne();
  expect(look('T', 0, 3)).toEqual(['well', 'silent', 'silent']);
  heartbeat.beat();
  expect(look('S', 0)).toEqual(['well']);
  expect(look('T', 0, 4).at(-1)).toBe('hung');
});

it('does not add up silence over the beats between', () => {
  const { heartbeat, look } = readyOne();
  for (let times = 0; times < 20; times += 1) {
    heartbeat.beat();
    expect(look('S', 0.1, 2)).toEqual(['well', 'well']);
  }
});

it('gives a start more time, and takes one that waits for something for hung in the end, although it beats', () => {
  const heartbeat = createHeartbeat(LIMITS);
  const look = looks(heartbeat);
  look('R', 1);
  const seen = Array.from({ length: 5 }, () => {
    heartbeat.beat();
    return look('S', 0)[0];
  });
  expect(seen).toEqual(['well', 'well', 'well', 'well', 'hung']);
});

it('does not take a start for hung that works and beats, nor one that had no core', () => {
  const heartbeat = createHeartbeat(LIMITS);
  const look = looks(heartbeat);
  for (let times = 0; times < 50; times += 1) {
    heartbeat.beat();
    expect([...look('S', 0.3), ...look('R', 0.1)]).toEqual(['well', 'well']);
  }
});
