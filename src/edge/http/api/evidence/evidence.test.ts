// Evidence over the admin API: who gets it, and the lines of its answer.
import { describe, expect, it } from 'vitest';
import { LictorError } from '../../../../contract/error.ts';
import { INPUT } from '../../../../contract/names.ts';
import { BUILT_IN_ROLES } from '../../../../contract/roles.ts';
import { useOwnApp } from '../../own-app.fixture.ts';
import type { EvidenceDesk, EvidenceJob, EvidenceStep } from './protocol.ts';

const PATH = '/.lictor/api/v1/evidence';
const { get, ask, reconfigure } = useOwnApp({ start: () => Date.parse('2026-06-01T12:00:00.000Z') });
const JSON_TYPE = { 'content-type': 'application/json' };

const bearer = async (role: string) => ({ ...JSON_TYPE, [INPUT.authorization]: `Bearer ${(await get().test.token({ name: role, roles: [role] })).text}` });
const post = async (body: unknown, role = 'auditor', path = PATH) => ask(path, { method: 'POST', headers: await bearer(role), body: JSON.stringify(body) });
const linesOf = ({ body }: { readonly body: string }): unknown[] =>
  body
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const VERIFICATION = { proven: true, doubt: null, records: 3, checkpoints: 1, signed_at: null, pruned: 0, problems: [] };
const MADE: EvidenceStep = { type: 'made', document: { title: 'A report' }, files: [['report.html', '<p>']], verification: VERIFICATION };
const JANUARY = { from: '2026-01-01', to: '2026-01-31' };

/** Takes the steps one after the other; an error ends them. */
function desk(steps: readonly (EvidenceStep | Error)[]): { readonly jobs: EvidenceJob[] } {
  const jobs: EvidenceJob[] = [];
  const evidence: EvidenceDesk = {
    async *run(job) {
      jobs.push(job);
      for (const step of steps) {
        if (step instanceof Error) throw step;
        yield step;
      }
    },
    close: async () => undefined,
  };
  reconfigure({ evidence });
  return { jobs };
}

describe('who gets a report', () => {
  it.each(BUILT_IN_ROLES)('%s', async (role) => {
    desk([MADE]);
    const answer = await post(JANUARY, role);
    const may = role === 'auditor' || role === 'admin';
    expect(answer.statusCode).toBe(may ? 200 : 403);
    expect(get().records).toMatchObject([{ action: 'access.read', decision: may ? 'allow' : 'deny', principal: `token:${role}`, path: PATH }]);
  });

  it('nobody without a credential', async () => {
    expect((await ask(PATH, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(JANUARY) })).statusCode).toBe(401);
  });
});

describe('a report', () => {
  it('comes line by line, and its last day belongs to it', async () => {
    const { jobs } = desk([{ type: 'progress', phase: 'ledger', records: 10_000 }, MADE]);
    expect(linesOf(await post(JANUARY))).toEqual([
      { progress: { phase: 'ledger', records: 10_000 } },
      { report: { document: { title: 'A report' }, files: [{ name: 'report.html', text: '<p>' }], verification: VERIFICATION } },
    ]);
    expect(jobs).toMatchObject([{ job: 'report', from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z', by: 'token:auditor' }]);
  });

  it.each([
    ['without a day', { from: '2026-01-01' }],
    ['with another form of a day', { from: '1.1.2026', to: '2026-01-31' }],
    ['that ends before it begins', { from: '2026-02-01', to: '2026-01-30' }],
    ['of the future', { from: '2999-01-01', to: '2999-01-02' }],
  ])('%s is refused', async (_what, body) => {
    const { jobs } = desk([MADE]);
    const answer = await post(body);
    expect([answer.statusCode, answer.json().code, jobs]).toEqual([400, 'request-invalid', []]);
  });

  it('waits while another one is made', async () => {
    desk([new LictorError('evidence-busy', 'another')]);
    expect((await post(JANUARY)).json()).toMatchObject({ code: 'evidence-busy' });
  });

  it('says when it did not end', async () => {
    desk([{ type: 'progress', phase: 'period', records: 1 }, new Error('out of memory')]);
    expect(linesOf(await post(JANUARY))).toMatchObject([{ progress: { records: 1 } }, { refusal: { code: 'evidence-too-long' } }]);
    expect(get().logged.join()).toContain('out of memory');
  });
});

it('a verification alone has its result in the last line', async () => {
  const { jobs } = desk([{ type: 'verified', verification: { ...VERIFICATION, proven: false, doubt: 'record 7 was edited' } }]);
  const headers = await bearer('auditor');
  const answer = await ask(`${PATH}/verification`, { method: 'POST', headers });
  expect(linesOf(answer)).toMatchObject([{ verification: { proven: false, doubt: 'record 7 was edited' } }]);
  expect(jobs).toMatchObject([{ job: 'verify' }]);
  expect((await ask(`${PATH}/verification`, { method: 'POST', headers: await bearer('operator') })).statusCode).toBe(403);
});
