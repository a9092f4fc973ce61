// An agent gets no secret from Prefect's API either, and everything else as Prefect wrote it.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openRedactor } from '../../contract/untrusted/redact.ts';
import { secretCases } from '../../contract/untrusted/secrets.fixture.ts';
import { anAgent } from '../../identity/authn/agent/agent.fixture.ts';
import { createConditions } from '../mediate/conditions.ts';
import { json, type Options, startMediator } from '../mediate/mediator.fixture.ts';
import { createAgentBook } from './agent-book.ts';
import { createRedaction } from './redaction.ts';

const AGENT: NonNullable<Options['principal']> = { id: 'agent:copilot', kind: 'agent' };

interface Setting {
  readonly principal?: Options['principal'];
  readonly type?: string;
}

async function read(body: Buffer, { principal = AGENT, type = 'application/json' }: Setting = {}) {
  const conditions = createConditions([createRedaction({ book: createAgentBook([anAgent()]), redactor: () => openRedactor({ known: [] }) })]);
  const mediator = startMediator({ principal, parts: { conditions }, prefect: () => ({ body, headers: { 'content-type': type } }) });
  const answer = await mediator.send({ role: 'admin', path: '/api/logs/filter', body: {} });
  return { status: answer.status, body: answer.body.toString(), redactions: mediator.record().redactions };
}

const cases = Object.entries(secretCases());

/** Characters of a step in which a long answer is redacted. */
const STEP = 200_000;

describe('an answer of the API to an agent', () => {
  it.each(cases)('does not show: %s', async (_name, { text, secret }) => {
    const { status, body } = await read(json([{ message: text, level: 20 }]));
    expect([status, JSON.parse(body)]).toMatchObject([200, [{ message: expect.stringContaining('[redacted: '), level: 20 }]]);
    expect(body).not.toContain(secret);
  });

  it('shows them to people, and to the runs of the agent', async () => {
    const body = json(cases.map(([, { text }]) => text));
    expect((await read(body, { principal: { id: 'alice@corp', kind: 'user' } })).body).toBe(body.toString());
    expect((await read(body, { principal: { id: 'run:1', kind: 'run', onBehalfOf: ['agent:copilot'] } })).body).toBe(body.toString());
  });

  it('has the number of secrets in its record, and null without one', async () => {
    expect(await read(json([{ api_key: 'x', password: 'y', message: 'done' }]))).toMatchObject({ redactions: 2 });
    expect(await read(json([{ message: 'done' }]))).toMatchObject({ redactions: null });
    expect(await read(Buffer.from('message\npassword=hunter2-hunter2\n'), { type: 'text/csv' })).toMatchObject({ redactions: 1 });
  });

  it('is unchanged without a secret, to the byte', async () => {
    const body = Buffer.from('[{"total": 12345678901234567890, "share": 1.0, "message": "done"}]');
    expect((await read(body)).body).toBe(body.toString());
  });

  it('has its numbers as Prefect wrote them', async () => {
    const body = Buffer.from('[{"total": 12345678901234567890, "share": 1.0, "api_key": "x"}]');
    expect((await read(body)).body).toBe('[{"total":12345678901234567890,"share":1.0,"api_key":"[redacted: named secret]"}]');
  });

  it('has no number that is a password', async () => {
    const body = Buffer.from('[{"max_tokens": 4096, "password": 12345678, "share": 1.0}]');
    expect(await read(body)).toMatchObject({ body: '[{"max_tokens":4096,"password":"[redacted: named secret]","share":1.0}]', redactions: 1 });
  });

  it('has the schema of a secret parameter, without its default', async () => {
    const schema = { password: { type: 'string', title: 'Password', default: 'hunter2' } };
    expect(JSON.parse((await read(json([schema]))).body)).toEqual([{ password: { type: 'string', title: 'Password', default: '[redacted: named secret]' } }]);
  });

  it('has a page token', async () => {
    const body = json({ next_page: 'http://localhost/api/events/filter/next?page-token=eyJhbc12345678' });
    expect((await read(body)).body).toBe(body.toString());
  });

  it('does not show secrets in a file of logs', async () => {
    const [[, { text, secret }] = ['', { text: '', secret: '' }]] = cases;
    const { body } = await read(Buffer.from(`time,message\n1,${text}\n2,done\n`), { type: 'text/csv; charset=utf-8' });
    expect(body).not.toContain(secret);
    expect(body).toMatch(/^time,message\n1,.*\n2,done\n$/);
  });

  it.each([0, 1, 5, 20, 39, 40, 41])('shows no line of a private key that goes over a step of a long file: %i lines before it', async (before) => {
    const lines = Array.from({ length: 40 }, () => randomBytes(48).toString('base64'));
    const key = ['-----BEGIN RSA PRIVATE KEY-----', 'Proc-Type: 4,ENCRYPTED', ...lines, '-----END RSA PRIVATE KEY-----'];
    const size = key.slice(0, before).reduce((sum, line) => sum + line.length, 0);
    const filler = Array.from({ length: Math.ceil((STEP - size) / 200) }, (_, at) => '. '.repeat(100).slice(0, STEP - size - at * 200)).join('\n');
    const { body } = await read(Buffer.from([filler, ...key, filler].join('\n')), { type: 'text/csv' });
    expect(lines.filter((line) => body.includes(line))).toEqual([]);
    expect([body.startsWith(`${filler}\n[`), body.endsWith(`]\n${filler}`)]).toEqual([true, true]);
  });

  it('does not leave if it cannot be read', async () => {
    expect(await read(Buffer.from('[{'))).toMatchObject({ status: 503, body: expect.stringContaining('answer-withheld') });
  });

  it('does not wait long for a large one: other work runs between its steps', async () => {
    const body = json(Array.from({ length: 400 }, () => 'x'.repeat(2000)));
    let steps = 0;
    const tick = (): void => {
      steps += 1;
      timer = setImmediate(tick);
    };
    let timer = setImmediate(tick);
    await read(body);
    clearImmediate(timer);
    expect(steps).toBeGreaterThan(3);
  });
});
