import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { changedSections } from './changed-sections.ts';
import { openTestFile, SMALLEST } from './test-file.ts';

const file = openTestFile();
afterAll(() => file.remove());

const inUse = (text: string, files: Readonly<Record<string, string>> = {}) => ({ config: file.accepted(text), policies: { files } });
const sink = (url: string) => `ledger: { export: [ { name: siem, type: ndjson, url: "${url}" } ] }\n`;

describe('the sections that a reload changes', () => {
  it('are none where the same is said in other words', () => {
    const whole = readFileSync(join(import.meta.dirname, '../../lictor.yaml'), 'utf8');
    expect(changedSections(inUse(whole), inUse(`# a comment\n${whole}`))).toEqual([]);
    expect(changedSections(inUse(SMALLEST), inUse(`${SMALLEST}roles: []\n`))).toEqual([]);
  });

  it('name a sink of the ledger that comes, goes or leads elsewhere', () => {
    const [none, one, other] = [SMALLEST, `${SMALLEST}${sink('file:///var/one.ndjson')}`, `${SMALLEST}${sink('file:///var/other.ndjson')}`];
    for (const [before, after] of [
      [none, one],
      [one, none],
      [one, other],
    ] as const)
      expect(changedSections(inUse(before), inUse(after))).toEqual(['ledger.export']);
    expect(changedSections(inUse(one), inUse(one))).toEqual([]);
  });

  it('are each named once, without what stands in them', () => {
    const text = `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200, auth_string: "\${AUTH}" }\nsessions: { idle: 1h, cli: 1h }\n`;
    const next = { config: file.accepted(text, { AUTH: 'user:hidden' }), policies: { files: {} } };
    expect(changedSections(inUse(SMALLEST), next)).toEqual(['prefect', 'sessions']);
  });

  it('name the own policies when a file of theirs reads otherwise', () => {
    expect(changedSections(inUse(SMALLEST, { 'a.cedar': 'permit' }), inUse(SMALLEST, { 'a.cedar': 'forbid' }))).toEqual(['policies']);
    expect(changedSections(inUse(SMALLEST, { 'a.cedar': 'permit' }), inUse(SMALLEST, { 'a.cedar': 'permit' }))).toEqual([]);
  });
});
