// Who started a run, as text: with those that an agent acts for.
import { describe, expect, it } from 'vitest';
import type { LedgerRecord } from '../contract/record.ts';
import { findStart, type Start } from '../record/timeline/start.ts';
import { auditLine, auditWidths } from './audit.ts';
import { startLines } from './start-words.ts';
import { painter } from './text.ts';

const COPILOT = { principal: 'agent:copilot', on_behalf_of: ['alice@local'] };

function startedBy(fields: Partial<LedgerRecord>): Start {
  const creation = { ...NOTHING, ...CREATION, ...fields };
  return findStart({ run: null, records: [creation as unknown as LedgerRecord] });
}

const CREATION = { method: 'POST', path: '/api/deployments/d/create_flow_run', action: 'deployments.run', status: 201, run_binding: 'verified' };
const NOTHING = { policies: [], source_ip: null, request_id: null, time: '2026-03-01T12:00:00.000Z', idp: null, principal_kind: 'agent', decision: 'allow' };

describe('a run that an agent started', () => {
  it('names the agent and its sponsor', () => {
    expect(startLines(startedBy(COPILOT))[0]).toMatch(/^started by copilot for alice@local at /);
  });

  it('names both for a run below it', () => {
    const parent = { flow_run_id: 'p', name: 'nightly', start: startedBy(COPILOT) };
    const start = { ...startedBy({ principal: 'run:p', on_behalf_of: ['agent:copilot', 'alice@local'] }), parent };
    expect(startLines(start)[0]).toContain('started by run:p for copilot for alice@local');
    expect(startLines(start).at(-1)).toBe('in the run nightly p, which copilot for alice@local started');
  });

  it('names both by the labels of Prefect alone', () => {
    const run = { labels: { 'lictor.principal': 'agent:copilot', 'lictor.on_behalf_of': 'alice@local' }, created: null } as never;
    expect(startLines(findStart({ run, records: [] }))[0]).toBe('started by copilot for alice@local');
  });
});

describe('a line of the audit', () => {
  const record = { ...NOTHING, status: 200, action: 'flows.read', run_binding: 'none', service: null, reason: null, resource_id: null };
  const line = (fields: object) => auditLine({ ...record, ...fields } as unknown as LedgerRecord, painter(process.stdout, { NO_COLOR: '1' }), auditWidths(120));

  it('names the agent and its sponsor', () => {
    expect(line(COPILOT)).toContain('copilot for alice');
  });

  it('names a person who acts for nobody alone', () => {
    expect(line({ principal: 'alice@local', on_behalf_of: [] })).toMatch(/ alice@local +200 /);
  });
});
