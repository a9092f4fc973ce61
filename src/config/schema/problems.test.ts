import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile, SMALLEST } from '../test-file.ts';

const file = openTestFile();
const { accepted, problems } = file;
afterAll(() => file.remove());

describe('a number where a number alone says nothing', () => {
  it.each([
    ['limits: [{ for: "*", rate: 50 }]', 'limits[0].rate', '50/s'],
    ['ledger: { retention: 400 }', 'ledger.retention', '90d'],
    ['sessions: { idle: 30 }', 'sessions.idle', '30s'],
  ])('is refused with the form that it is written in: %s', (text, path, form) => {
    expect(problems(`${SMALLEST}${text}\n`)).toEqual([expect.objectContaining({ path, message: 'has the wrong form', remedy: expect.stringContaining(form) })]);
  });

  it('is taken with its unit', () => {
    const { limits } = accepted(`${SMALLEST}limits: [{ for: "*", rate: 50/s }]\nledger: { retention: 400d }\nsessions: { idle: 30s }\n`);
    expect(limits).toMatchObject([{ rate: { perSecond: 50 } }]);
  });
});

describe('observe', () => {
  const observed = `${SMALLEST}observe: [read, configure]\n`;

  it('names groups of actions, beside a mode of the file or of a role', () => {
    expect(accepted(`${observed}mode: observe\n`)).toMatchObject({ mode: 'observe', observe: ['read', 'configure'] });
    expect(accepted(`${observed}roles: [{ role: viewer, members: ["token:x"], mode: observe }]\n`).observe).toEqual(['read', 'configure']);
  });

  it.each([
    [observed, 'observe', 'because no mode is observe'],
    [`${SMALLEST}mode: observe\nobserve: [services]\n`, 'observe[0]', 'must be one of'],
    [`${SMALLEST}mode: observe\nobserve: []\n`, 'observe', ''],
  ])('twin: is refused where it has no effect', (text, path, message) => {
    expect(problems(text)).toEqual([expect.objectContaining({ path, message: expect.stringContaining(message) })]);
  });
});

it('anything of another type is refused with what the key is for', () => {
  expect(problems(`${SMALLEST}policies: 3\n`)).toEqual([expect.objectContaining({ path: 'policies', remedy: expect.stringMatching(/director/i) })]);
  expect(problems(`${SMALLEST}roles: [{ role: viewer, members: 3 }]\n`)).toEqual([
    expect.objectContaining({ remedy: expect.stringContaining('user:NAME@IDP') }),
  ]);
});
