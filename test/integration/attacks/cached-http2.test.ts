// A shared cached answer depends on nothing that only one client sent, also over HTTP/2, where a body needs no length.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type IncomingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { selfSigned } from '../../env/certificate.ts';
import { type Gateway, startGateway, type Token } from '../../env/gateway.ts';
import { type Recorder, startRecorder } from '../../env/upstream-recorder.ts';

const POLICY = '@id("callers-call")\npermit (principal, action == Action::"services.call", resource);\n';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-kept-'));
let service: Recorder;
let prefect: Recorder;
let gateway: Gateway;
let caller: Token;
let other: Token;

beforeAll(async () => {
  writeFileSync(join(directory, 'services.cedar'), POLICY);
  [service, prefect] = await Promise.all([startRecorder(), startRecorder()]);
  gateway = await startGateway({
    upstream: prefect,
    tls: await selfSigned(),
    config: { policies: directory, services: [{ name: 'shared', servers: [service.url], cache: [{ paths: ['/v1/*'], ttl: '60s', shared: true }] }] },
  });
  [caller, other] = await Promise.all([gateway.token('caller', ['viewer']), gateway.token('other', ['viewer'])]);
});
beforeEach(() => {
  service.clear();
  service.answerWith(({ body }) => ({ status: 200, body: `found by <${body.toString()}>` }));
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([service, prefect].map((recorder) => recorder?.close()));
  rmSync(directory, { recursive: true });
});

/** Without `content-length`. */
const call = async (path: string, { secret }: Token, body = ''): Promise<readonly [number | undefined, string]> => {
  const session = connect(`https://localhost:${gateway.port}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': `/.lictor/svc/shared${path}`, authorization: `Bearer ${secret}` }, { endStream: body === '' });
  const answered = once(stream, 'response');
  if (body !== '') stream.end(body);
  const [headers] = (await answered) as [IncomingHttpHeaders];
  const answer = Buffer.concat(await stream.toArray()).toString();
  session.close();
  return [Number(headers[':status']), answer];
};

// In nginx's memory, as a word that means no there, and in a file.
it.each(['mine', '0', 'x'.repeat(300_000)])('is neither made by a call with a body nor its answer: %#', async (body) => {
  const path = `/v1/search-${body.length}`;
  expect(await call(path, caller, body)).toEqual([200, `found by <${body}>`]);
  expect(await call(path, other)).toEqual([200, 'found by <>']);
  expect(await call(path, caller, body)).toEqual([200, `found by <${body}>`]);
  expect(await call(path, caller)).toEqual([200, 'found by <>']);
  expect(service.seen().map(({ body: sent }) => sent.length)).toEqual([body.length, 0, body.length]);
});
