// Mediated requests through HTTP: the mediator gets the same bytes, and the client gets the same answer.
import { describe, expect, it } from 'vitest';
import { refusalResponse } from '../../authorization/mediate/responses.ts';
import { INPUT } from '../../contract/names.ts';
import { type Ask, HTML, useOwnApp } from './own-app.fixture.ts';

const { get, ask } = useOwnApp();

describe('a mediated request', () => {
  const operation = { [INPUT.operation]: 'create_flow_run', [INPUT.path]: '/api/flow_runs/' };
  const mediate = (more: Ask = {}) => ask('/api/flow_runs/?x=1', { method: 'POST', ...more, headers: { ...operation, ...more.headers } });

  it('goes to the mediator with inputs, headers and the very bytes, and its answer comes back as it is', async () => {
    const body = Buffer.from('\ufeff{"a":1,"a":2}\u0000');
    const answer = await mediate({ body, headers: { 'content-type': 'application/json', 'user-agent': 'prefect/3' } });
    expect([answer.statusCode, answer.body, answer.headers['x-extra'], answer.headers['x-request-id']]).toEqual([201, '{"id":1}', 'yes', 'request-1']);
    expect(get().mediated).toMatchObject([
      {
        inputs: { operation: 'create_flow_run', path: '/api/flow_runs/', method: 'POST' },
        headers: { 'content-type': 'application/json', 'user-agent': 'prefect/3' },
      },
    ]);
    expect(get().mediated[0]?.body.equals(body)).toBe(true);
  });

  it.each(['application/vnd.x+json', 'text/plain', 'multipart/form-data; boundary=x', 'application/x-www-form-urlencoded'])(
    'with Content-Type %s is the mediator’s to judge',
    async (type) => {
      expect((await mediate({ body: 'x', headers: { 'content-type': type } })).statusCode).toBe(201);
      expect(get().mediated[0]?.body.toString()).toBe('x');
    },
  );

  it('with a Content-Type that is none, or with no Content-Type, never reaches it without its body', async () => {
    for (const headers of [{ 'content-type': '???' }, { 'content-type': '' }]) {
      const answer = await mediate({ body: 'x', headers });
      if (answer.statusCode === 201) expect(get().mediated.at(-1)?.body.toString()).toBe('x');
      else expect([answer.statusCode, answer.json().code]).toEqual([415, 'content-type-unsupported']);
    }
  });

  it.each(['PUT', 'DELETE', 'GET'] as const)('may be a %s', async (method) => expect((await mediate({ method })).statusCode).toBe(201));

  it('of 16 MiB passes; one byte more is 413 and does not', async () => {
    const json = { 'content-type': 'application/json' };
    expect((await mediate({ body: Buffer.alloc(16 * 1024 * 1024, 32), headers: json })).statusCode).toBe(201);
    const answer = await mediate({ body: Buffer.alloc(16 * 1024 * 1024 + 1, 32), headers: json });
    expect([answer.statusCode, answer.json().code, get().mediated.length]).toEqual([413, 'body-too-large', 1]);
  });

  it('is one by its header and not by its path', async () => {
    await ask('/.lictor/login', { method: 'POST', headers: operation });
    expect(get().mediated).toHaveLength(1);
  });

  it('that is refused is a page for a person who opens it, with the same words, and JSON for everybody else', async () => {
    const refusal = {
      code: 'policy-default-deny',
      detail: 'bob@corp (<b>) may not read settings of the server (admin.settings.read); role viewer may.',
    } as const;
    get().mediatorAnswer = async () => refusalResponse(refusal, 'request-1');
    const page = await mediate({ method: 'GET', headers: HTML });
    expect([page.statusCode, page.headers['content-type'], page.headers['cache-control']]).toEqual([403, 'text/html; charset=utf-8', 'no-store']);
    expect(page.body).toContain('bob@corp (&lt;b&gt;) may not read settings of the server');
    expect(page.body).toMatch(/<code>policy-default-deny<\/code><code>request-1<\/code>/);
    for (const more of [{ method: 'GET' }, { method: 'POST', headers: HTML }] as const)
      expect((await mediate(more)).json(), more.method).toMatchObject({ ...refusal, request_id: 'request-1' });
  });

  it('twin: what Prefect itself answers a person stays as it is', async () => {
    get().mediatorAnswer = async () => ({ status: 403, headers: { 'content-type': 'application/json' }, body: Buffer.from('{"detail":"own"}') });
    expect((await mediate({ method: 'GET', headers: HTML })).body).toBe('{"detail":"own"}');
  });

  it('keeps 204 empty and passes Prefect’s own 500', async () => {
    get().mediatorAnswer = async () => ({ status: 204, headers: {}, body: Buffer.alloc(0) });
    expect([(await mediate()).statusCode, (await mediate()).body]).toEqual([204, '']);
    get().mediatorAnswer = async () => ({ status: 500, headers: { 'content-type': 'text/plain' }, body: Buffer.from('Prefect broke') });
    expect([(await mediate()).statusCode, (await mediate()).body]).toEqual([500, 'Prefect broke']);
  });

  it('that breaks the mediator is 503 JSON, never 500, and does not claim that nothing was forwarded', async () => {
    get().mediatorAnswer = () => Promise.reject(new Error('a defect with a secret'));
    const answer = await mediate({ headers: HTML });
    expect([answer.statusCode, answer.json().code, answer.headers['prefect-maintenance']]).toEqual([503, 'outcome-unknown', undefined]);
    expect(answer.body).not.toContain('nothing was forwarded');
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(answer.body).not.toContain('defect');
  });
});
