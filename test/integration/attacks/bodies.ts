// research rows BD, QY: what a body or a query asks for is decided, in every spelling that Prefect would take.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { request } from '../../env/raw-request.ts';
import { bearerLine, expectNothingUpstream, expectNothingWritten, expectRefusal, expectStatus, writesSeen } from './harness.ts';
import { harness } from './one-gateway.ts';

const DEPLOYMENT = '/api/deployments/11111111-1111-4111-8111-111111111111/create_flow_run';
const RUN = '/api/flow_runs/22222222-2222-4222-8222-222222222222';
const SCHEDULE = '/api/deployments/11111111-1111-4111-8111-111111111111/schedules';

function send(
  path: string,
  body: string | Buffer,
  options: { readonly method?: string; readonly token?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...options.headers };
  const bytes = new Uint8Array(Buffer.isBuffer(body) ? body : Buffer.from(body));
  return harness.gateway.fetch(path, { method: options.method ?? 'POST', token: options.token ?? harness.operator, headers, body: bytes });
}

describe('BD-01: job variables need a right of their own', () => {
  it.each([
    ['image', '{"job_variables":{"image":"evil"}}'],
    ['command', '{"job_variables":{"command":"sh -c id"}}'],
    ['env', '{"job_variables":{"env":{"PATH":"/evil"}}}'],
    ['beside parameters', '{"parameters":{"n":1},"job_variables":{"command":"id"}}'],
    ['an escaped key', '{"\\u006aob_variables":{"command":"id"}}'],
    ['beyond the buffer', `{"parameters":{"x":"${'x'.repeat(300_000)}"},"job_variables":{"command":"id"}}`],
  ])('BD-01: %s is refused for an operator', async (_what, body) => {
    await expectRefusal(await send(DEPLOYMENT, body), 403, 'policy-default-deny');
    expectNothingWritten(harness);
  });

  it('BD-01: duplicate keys are refused', async () => {
    await expectRefusal(await send(DEPLOYMENT, '{"job_variables":{"command":"id"},"job_variables":{}}'), 400, 'body-not-json');
    expectNothingWritten(harness);
  });

  it('BD-01: a gzip body is 415', async () => {
    const body = gzipSync('{"job_variables":{"command":"id"}}');
    await expectRefusal(await send(DEPLOYMENT, body, { headers: { 'content-encoding': 'gzip' } }), 415, 'content-encoding-unsupported');
    expectNothingWritten(harness);
  });

  it('BD-01: text/plain is 415, with a token too', async () => {
    await expectRefusal(await send(DEPLOYMENT, '{}', { headers: { 'content-type': 'text/plain' } }), 415, 'content-type-unsupported');
    expectNothingWritten(harness);
  });

  it('BD-01: a chunked body is read like any other', async () => {
    const head = [`POST ${DEPLOYMENT} HTTP/1.1`, `Host: localhost:${harness.gateway.port}`, bearerLine(harness.operator), 'Content-Type: application/json'];
    const answer = await request(
      harness.gateway.port,
      [...head, 'Transfer-Encoding: chunked'],
      '11\r\n{"job_variables":\r\n11\r\n{"command":"id"}}\r\n0\r\n\r\n',
    );
    expectStatus(answer, 403, 'chunked');
    expect(answer.text).toContain('"policy-default-deny"');
    expectNothingWritten(harness);
  });

  it('BD-01: a body above the limit is 413, never allowed for being big', async () => {
    await expectRefusal(await send(DEPLOYMENT, `{"parameters":{"x":"${'x'.repeat(17 * 1024 * 1024)}"}}`), 413, 'body-too-large');
    expectNothingWritten(harness);
  });

  it('BD-01 twin: an operator runs a deployment with parameters; an admin with job variables', async () => {
    expect((await send(DEPLOYMENT, '{"parameters":{"n":1}}')).status).toBe(200);
    expect((await send(DEPLOYMENT, '{"job_variables":{"image":"x"}}', { token: harness.admin })).status).toBe(200);
    expect(writesSeen(harness)).toHaveLength(2);
  });
});

describe('BD-02: the other ways to override', () => {
  it.each([
    ['PATCH', RUN, '{"job_variables":{"command":"id"}}'],
    ['PATCH', RUN, '{"parameters":{"n":2}}'],
    ['PATCH', RUN, '{"tags":["team-a"]}'],
    ['POST', SCHEDULE, '[{"schedule":{"interval":60},"parameters":{"n":2}}]'],
    [
      'POST',
      '/api/flow_runs/',
      '{"flow_id":"33333333-3333-4333-8333-333333333333","deployment_id":"11111111-1111-4111-8111-111111111111","job_variables":{"command":"id"}}',
    ],
    ['PATCH', '/api/deployments/11111111-1111-4111-8111-111111111111', '{"tags":["team-a"]}'],
  ])('BD-02: %s %s %s is refused for an operator', async (method, path, body) => {
    await expectRefusal(await send(path, body, { method }), 403, 'policy-default-deny');
    expectNothingWritten(harness);
  });

  it.each(['"true"', '"on"', '1', '"yes"', '"t"', 'null', '[true]'])('BD-02: force as %s is refused', async (force) => {
    const body = `{"state":{"type":"CANCELLING"},"force":${force}}`;
    const response = await send(`${RUN}/set_state`, body, { token: harness.admin });
    expect(response.status === 400 || (response.status === 200 && force === 'null'), await response.text()).toBe(true);
    if (force !== 'null') expectNothingWritten(harness);
  });

  it("BD-02: a client's own lictor.* labels do not get through", async () => {
    const response = await send(DEPLOYMENT, '{"labels":{"lictor.principal":"root","mine":"x"}}');
    const forwarded = JSON.stringify(harness.recorder.seen().map(({ body }) => body.toString()));
    expect(forwarded).not.toContain('root');
    expect([200, 403]).toContain(response.status);
  });

  it('BD-02: the labels of a run take scalars only, and none of ours', async () => {
    for (const body of ['{"lictor.principal":"root"}', '{"a":null}', '{"a":{}}', '{"a":[1]}', '{"lictor.request_id":null}']) {
      const response = await send(`${RUN}/labels`, body, { method: 'PATCH', token: harness.admin });
      expect([400, 403], body).toContain(response.status);
    }
    expectNothingWritten(harness);
  });
});

describe('BD-03: one strict parser', () => {
  it.each<readonly [string, Buffer]>([
    ['duplicate keys at depth', Buffer.from('{"parameters":{"a":{"b":1,"b":2}}}')],
    ['duplicate keys by escape', Buffer.from('{"parameters":{"a":1,"\\u0061":2}}')],
    ['NaN', Buffer.from('{"parameters":{"a":NaN}}')],
    ['Infinity', Buffer.from('{"parameters":{"a":-Infinity}}')],
    ['1e400', Buffer.from('{"parameters":{"a":1e400}}')],
    ['a BOM', Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{}')])],
    ['UTF-16', Buffer.from('{"parameters":{}}', 'utf16le')],
    ['invalid UTF-8', Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff]), Buffer.from('"}')])],
    ['half a surrogate pair, which Prefect keeps as another name', Buffer.from('{"job_variables":{"a\\ud800":1}}')],
    ['depth 65', Buffer.from(`{"parameters":{"a":${'['.repeat(64)}${']'.repeat(64)}}}`)],
    ['depth 1,500,000', Buffer.from('['.repeat(1_500_000) + ']'.repeat(1_500_000))],
    ['a trailing comma', Buffer.from('{"parameters":{},}')],
    ['a comment', Buffer.from('{/* */}')],
    ['two documents', Buffer.from('{}{}')],
    ['a raw control character', Buffer.from('{"name":"a\u0001b"}')],
  ])('BD-03: %s is refused', async (_what, body) => {
    await expectRefusal(await send(DEPLOYMENT, body, { token: harness.admin }), 400, 'body-not-json');
    expectNothingWritten(harness);
  });

  it('BD-03: a whole surrogate pair is taken', async () => {
    expect((await send(DEPLOYMENT, '{"job_variables":{"a\\ud83d\\ude00":1}}', { token: harness.admin })).status).toBeLessThan(300);
  });

  it('BD-03: depth 5,000,000 is refused, as too large', async () => {
    await expectRefusal(await send(DEPLOYMENT, '['.repeat(5_000_000) + ']'.repeat(5_000_000), { token: harness.admin }), 413, 'body-too-large');
    expectNothingWritten(harness);
  });

  it('BD-03: numbers arrive as they were written', async () => {
    const parameters = '{"a":12345678901234567890,"b":1.0,"c":1e2,"d":-0,"e":0.1000}';
    expect((await send(DEPLOYMENT, `{"parameters":${parameters}}`)).status).toBe(200);
    expect(writesSeen(harness)[0]?.body.toString()).toContain(`"parameters":${parameters}`);
  });
});

describe('QY-01: rights in the query', () => {
  const BLOCK = '/api/block_documents/44444444-4444-4444-8444-444444444444';

  it.each([
    'include_secrets=true',
    'include_secrets=1',
    'include_secrets=t',
    'include_secrets=YES',
    'include_secrets=on',
    'include_secrets=y',
    'include_secrets=True',
    'include_secrets=%74rue',
    'include_secrets=tru%65',
    'include%5Fsecrets=on',
    '%69nclude_secrets=true',
    'include_secrets=false&include_secrets=true',
    'include_secrets=true&include_secrets=false',
    'a=b&include_secrets=true',
    'include_secrets=+true',
    'include_secrets',
    'include_secrets=',
  ])('QY-01: a viewer asks for a block with ?%s and gets no secret', async (query) => {
    for (const path of [BLOCK, '/api/block_types/slug/secret/block_documents/name/n', '/api/block_types/slug/secret/block_documents']) {
      const response = await harness.gateway.fetch(`${path}?${query}`, { token: harness.viewer });
      expect([400, 403], `${path} ${await response.text()}`).toContain(response.status);
    }
    expectNothingUpstream(harness);
  });

  it('QY-01 twin: without it, or as false, a viewer may read', async () => {
    for (const query of ['', '?include_secrets=false', '?x=include_secrets']) {
      expect((await harness.gateway.fetch(`${BLOCK}${query}`, { token: harness.viewer })).status, query).toBe(200);
    }
  });

  it('QY-01: the answer to one query is not cached for another', async () => {
    expect((await harness.gateway.fetch(BLOCK, { token: harness.viewer })).status).toBe(200);
    expect((await harness.gateway.fetch(`${BLOCK}?include_secrets=true`, { token: harness.viewer })).status).toBe(403);
    expect((await harness.gateway.fetch(BLOCK, { token: harness.viewer })).status).toBe(200);
  });

  it.each(['true', '"on"', '1', '"yes"'])('QY-01: include_secrets in the body of a filter as %s gives no secret', async (value) => {
    const response = await send('/api/block_documents/filter', `{"include_secrets":${value}}`, { token: harness.viewer });
    expect([400, 403]).toContain(response.status);
    expectNothingUpstream(harness);
  });
});
