import { expect, it } from 'vitest';
import { isNew, nextStep, type Seen, stepsFor } from './steps.ts';

const NOTHING: Seen = { logins: [], tokens: [], workers: [], runs: [] };
const GATEWAY = 'https://prefect.example.com/team';
const doneOf = (seen: Seen) => stepsFor(GATEWAY, seen).map(({ done }) => done);

it('has the address of this gateway in its commands', () => {
  const commands = stepsFor(GATEWAY, NOTHING).flatMap((step) => step.commands);
  expect(commands).toContain(`lictor login ${GATEWAY}`);
  expect(commands.join('\n')).toContain(`export PREFECT_API_URL=${GATEWAY}/api`);
});

it('checks off what has happened, and says which step is next', () => {
  expect(doneOf(NOTHING)).toEqual(['no', 'no', 'no', 'no']);
  const tokens = [{ name: 'w', roles: ['worker'], state: 'live' }];
  const seen: Seen = { ...NOTHING, tokens, logins: [{ principal: 'alice@corp', last_used_at: '' }] };
  expect(doneOf(seen)).toEqual(['yes', 'yes', 'no', 'no']);
  expect(nextStep(stepsFor(GATEWAY, seen))?.name).toBe('worker');
  expect(doneOf({ ...NOTHING, tokens: [{ name: 'w', roles: ['worker'], state: 'revoked' }] })[1]).toBe('no');
  expect(doneOf({ ...NOTHING, tokens: [{ name: 'v', roles: ['viewer'], state: 'live' }] })[1]).toBe('no');
});

it('says nothing about what the person may not know', () => {
  const steps = stepsFor(GATEWAY, { logins: null, tokens: null, workers: null, runs: null });
  expect(steps.map(({ done }) => done)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  expect(nextStep(steps)).toBeUndefined();
});

it('marks what came in the last minute', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  expect([isNew('2026-03-01T11:59:30Z', now), isNew('2026-03-01T11:58:00Z', now)]).toEqual([true, false]);
});
