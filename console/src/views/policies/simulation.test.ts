import { describe, expect, it } from 'vitest';
import type { Simulation } from './shapes.ts';
import { effectSentence, limitsOf, parseLine } from './simulation.ts';

describe('a line of a simulation', () => {
  it('says how far it is by time', () => {
    const progress = { records: 2000, since: '2026-03-01T00:00:00.000Z', through: '2026-03-01T06:00:00.000Z', until: '2026-03-02T00:00:00.000Z' };
    expect(parseLine({ progress })).toEqual({ kind: 'progress', progress: { records: 2000, fraction: 0.25 } });
    expect(parseLine({ progress: { ...progress, through: 'never' } })).toEqual({ kind: 'progress', progress: { records: 2000, fraction: 0 } });
  });

  it('is the result, a refusal, or nothing that is known', () => {
    expect(parseLine({ simulation: { records: 1 } })).toEqual({ kind: 'done', simulation: { records: 1 } });
    expect(parseLine({ refusal: { code: 'draft-too-long' } })).toEqual({ kind: 'refused', refusal: { code: 'draft-too-long' } });
    expect([parseLine(null), parseLine({}), parseLine('x')]).toEqual([undefined, undefined, undefined]);
  });
});

it('the limits of a result are said in sentences', () => {
  const result = { counts: { 'unlike-then': 1200, 'principal-unknown': 2 }, unknown_principals: ['token:gone'] } as unknown as Simulation;
  expect(limitsOf(result)).toEqual([
    '1,200 decisions cannot be replayed: roles, scopes or built-in policies have changed since.',
    '2 decisions are of principals that are unknown now: token:gone.',
  ]);
  expect(limitsOf({ ...result, counts: {} } as Simulation)).toEqual([]);
});

describe('the effect in one sentence', () => {
  const of = (counts: object, changes: readonly (readonly [string, string])[] = []) =>
    effectSentence({ counts, changes: changes.map(([change, principal]) => ({ change, principal })) } as unknown as Simulation);

  it.each([
    [of({ 'now-denied': 1 }, [['now-denied', 'bob@corp']]), '1 request of bob@corp would be denied if you apply this.'],
    [
      of({ 'now-denied': 1200, 'may-change': 2 }, [
        ['now-denied', 'bob@corp'],
        ['now-denied', 'bob@corp'],
        ['now-denied', 'alice@corp'],
        ['may-change', 'bob@corp'],
      ]),
      '1,200 requests of 2 people would be denied if you apply this, 2 requests of bob@corp may get another decision.',
    ],
    [
      of({ 'now-allowed': 3 }, [
        ['now-allowed', 'token:ci@1'],
        ['now-allowed', 'bob@corp'],
      ]),
      '3 requests of 2 principals would be allowed if you apply this.',
    ],
    [of({ same: 40 }), 'No recorded decision would change: all 40 stay the same.'],
    [of({ 'not-by-policy': 40 }), 'No recorded decision of this time can be replayed, so this says nothing about the draft.'],
  ])('%s', (sentence, expected) => expect(sentence).toBe(expected));
});
