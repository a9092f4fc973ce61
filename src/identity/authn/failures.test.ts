// Counting guesses, in bounded memory.
import { describe, expect, it } from 'vitest';
import { guesserKey } from '../../contract/network.ts';
import { createBoundedCounter } from './bounded-counter.ts';
import { createFailures, FAILURE_LIMITS } from './failures.ts';

describe('failed credentials of an address', () => {
  it('are too many above the limit, only for this address and minute', () => {
    let nowMs = 0;
    const guessing: string[] = [];
    const failures = createFailures(
      () => nowMs,
      (address) => guessing.push(address),
    );
    for (let index = 0; index < FAILURE_LIMITS.perMinute; index += 1) expect(failures.reasonFor('credential-unknown', '192.0.2.1')).toBe('credential-unknown');
    for (let index = 0; index < 50; index += 1) expect(failures.reasonFor('credential-malformed', '192.0.2.1')).toBe('too-many-failures');
    expect(failures.reasonFor('credential-unknown', '192.0.2.2')).toBe('credential-unknown');
    expect(guessing).toEqual(['192.0.2.1']);
    nowMs = 60_000;
    expect(failures.reasonFor('credential-unknown', '192.0.2.1')).toBe('credential-unknown');
  });

  it('do not count a credential that is not a guess', () => {
    const failures = createFailures(
      () => 0,
      () => expect.unreachable(),
    );
    for (let index = 0; index < 1000; index += 1) {
      for (const reason of ['session-expired', 'credential-expired', 'credential-missing'] as const) expect(failures.reasonFor(reason, 'a')).toBe(reason);
    }
    expect(failures.reasonFor('credential-unknown', 'a')).toBe('credential-unknown');
  });
});

describe('a guesser', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unix:', 'unix:'],
  ])('%s counts as %s', (address, key) => expect(guesserKey(address)).toBe(key));
});

describe('a bounded counter', () => {
  it('forgets the least recently used key first', () => {
    const counter = createBoundedCounter(() => 0, { windowMs: 1000, keys: 3 });
    for (const key of ['a', 'b', 'c', 'a', 'd']) counter.add(key);
    expect(counter.size).toBe(3);
    expect(['a', 'b', 'c', 'd'].map((key) => counter.count(key))).toEqual([2, 0, 1, 1]);
  });

  it('subtracts, clears, and returns the rest of the window', () => {
    let nowMs = 0;
    const counter = createBoundedCounter(() => nowMs, { windowMs: 1000, keys: 3 });
    counter.add('a');
    nowMs = 400;
    counter.add('a');
    expect(counter.leftMs('a')).toBe(600);
    counter.undo('a');
    expect(counter.count('a')).toBe(1);
    counter.clear('a');
    expect([counter.count('a'), counter.leftMs('a')]).toEqual([0, 0]);
    counter.undo('a');
    expect(counter.count('a')).toBe(0);
  });
});
