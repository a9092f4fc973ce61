// research row BD-01 in full: job variables from a principal with only the right to run, in every spelling, by every way to a run. None reaches Prefect.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { expectNothingWritten, useHarness, writesSeen } from './harness.ts';

const harness = useHarness({ config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });

const DEPLOYMENT = '/api/deployments/11111111-1111-4111-8111-111111111111';
const FLOW = '"flow_id":"33333333-3333-4333-8333-333333333333"';

interface Way {
  readonly what: string;
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  /** The body around the members of a run. */
  readonly around: (members: string) => string;
}

const WAYS: readonly Way[] = [
  { what: 'create_flow_run', method: 'POST', path: `${DEPLOYMENT}/create_flow_run`, around: (members) => `{${members}}` },
  { what: 'bulk', method: 'POST', path: `${DEPLOYMENT}/create_flow_run/bulk`, around: (members) => `[{},{${members}}]` },
  { what: 'POST /flow_runs/', method: 'POST', path: '/api/flow_runs/', around: (members) => `{${FLOW},${members}}` },
  {
    what: 'POST /flow_runs/ of a deployment',
    method: 'POST',
    path: '/api/flow_runs/',
    around: (members) => `{${FLOW},"deployment_id":"11111111-1111-4111-8111-111111111111",${members}}`,
  },
  { what: 'PATCH /flow_runs/{id}', method: 'PATCH', path: '/api/flow_runs/22222222-2222-4222-8222-222222222222', around: (members) => `{${members}}` },
  { what: 'a new schedule', method: 'POST', path: `${DEPLOYMENT}/schedules`, around: (members) => `[{"schedule":{"interval":60},${members}}]` },
  {
    what: 'a schedule',
    method: 'PATCH',
    path: `${DEPLOYMENT}/schedules/44444444-4444-4444-8444-444444444444`,
    around: (members) => `{${members}}`,
  },
  { what: 'the deployment', method: 'PATCH', path: DEPLOYMENT, around: (members) => `{${members}}` },
];

type Body = { readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream; readonly headers?: Readonly<Record<string, string>> };

const plain =
  (members: string) =>
  (around: Way['around']): Body => ({ body: around(members) });
const coded =
  (headers: Readonly<Record<string, string>>, code: (text: string) => Body['body'] = (text) => text) =>
  (around: Way['around']): Body => ({
    body: code(around('"job_variables":{"command":"id"}')),
    headers,
  });

const SPELLINGS: readonly (readonly [string, (around: Way['around']) => Body])[] = [
  ['command', plain('"job_variables":{"command":"id"}')],
  ['image', plain('"job_variables":{"image":"evil"}')],
  ['env', plain('"job_variables":{"env":{"PATH":"/tmp"}}')],
  ['nested', plain('"job_variables":{"job_configuration":{"command":"id","env":{"A":"b"}}}')],
  ['a dotted key inside', plain('"job_variables":{"env.PATH":"/tmp"}')],
  ['an escaped key', plain('"\\u006aob_variables":{"command":"id"}')],
  ['a key twice, the good one last', plain('"job_variables":{"command":"id"},"job_variables":{}')],
  ['a key twice, the good one first', plain('"job_variables":{},"job_variables":{"command":"id"}')],
  ['gzip', coded({ 'content-encoding': 'gzip' }, (text) => new Uint8Array(gzipSync(text)))],
  ['text', coded({ 'content-type': 'text/plain' })],
  ['no content type that is JSON', coded({ 'content-type': 'application/vnd.api+json' })],
  ['a form', coded({ 'content-type': 'application/x-www-form-urlencoded' })],
  ['20 MB', plain(`"job_variables":{"command":"${'x'.repeat(20_000_000)}"}`)],
];

async function send({ method, path, around }: Way, spelling: (around: Way['around']) => Body, token = harness.operator): Promise<Response> {
  const { body, headers } = spelling(around);
  return harness.gateway.fetch(path, { method, token, headers: { 'content-type': 'application/json', ...headers }, body });
}

/** Letter by letter: what is of unknown length goes out chunked. */
function chunked(around: Way['around']): Body {
  const letters = around('"job_variables":{"command":"id"}');
  const body = new ReadableStream({
    start(controller) {
      for (const letter of letters) controller.enqueue(new TextEncoder().encode(letter));
      controller.close();
    },
  });
  return { body };
}

describe.each(WAYS)('BD-01: by $what', (way) => {
  it.each(SPELLINGS)('%s is refused', async (_what, spelling) => {
    const response = await send(way, spelling);
    expect([400, 403, 413, 415], await response.text()).toContain(response.status);
    expectNothingWritten(harness);
  });

  it('chunked is refused', async () => {
    const { body } = chunked(way.around);
    const init = { method: way.method, token: harness.operator, headers: { 'content-type': 'application/json' }, body, duplex: 'half' };
    const response = await harness.gateway.fetch(way.path, init as Parameters<typeof harness.gateway.fetch>[1]);
    expect(response.status, await response.text()).toBe(403);
    expectNothingWritten(harness);
  });

  it('twin: with the separate right it arrives', async () => {
    const response = await send(way, plain('"job_variables":{"image":"x"}'), harness.admin);
    expect(response.status, await response.text()).toBeLessThan(300);
    expect(JSON.stringify(writesSeen(harness).map(({ body }) => body.toString()))).toContain('job_variables');
  });
});

it('BD-01: a dotted name is no job variable to Prefect, which refuses it', async () => {
  const response = await send(WAYS[0] ?? never(), plain('"job_variables.command":"id"'));
  expect(response.status).toBeLessThan(300);
  expect(writesSeen(harness).map(({ body }) => Object.keys(JSON.parse(body.toString())))).toEqual([expect.arrayContaining(['job_variables.command'])]);
});

function never(): never {
  throw new Error('there is no way');
}
