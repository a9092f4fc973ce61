import { describe, expect, it } from 'vitest';
import { record } from '../record/timeline/timeline.fixture.ts';
import { reasonWords } from './record-words.ts';

describe('why a record is there, in words', () => {
  it('names what a reload has changed, and nothing where it changed nothing', () => {
    const reload = { action: 'config.reload', reason: 'config-applied' };
    expect(reasonWords(record(0, { ...reload, tool: 'ledger.export' }))).toBe('config-applied: ledger.export');
    expect(reasonWords(record(0, reload))).toBe('config-applied');
  });

  it('is a refusal or an outage, not that a policy permits', () => {
    expect(reasonWords(record(0, { reason: 'policy-forbids' }))).toBe('policy-forbids');
    expect(reasonWords(record(0, { reason: 'policy-permits' }))).toBe('');
  });
});
