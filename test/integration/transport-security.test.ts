// Strict-Transport-Security: on every answer under the gateway's own name, once; never under another, never Prefect's.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StubEdge, startStubEdge } from '../env/stub-edge.ts';

const publicUrl = { origin: 'https://prefect.example.com', hostname: 'prefect.example.com', port: 443, secure: true, basePath: '' };
const PINNED = 'max-age=31536000';

let own: StubEdge;
let shared: StubEdge;
beforeAll(async () => {
  const proxies = { terminateTls: true, trusted: [] };
  [own, shared] = await Promise.all([startStubEdge({ publicUrl, proxies }), startStubEdge({ publicUrl: { ...publicUrl, basePath: '/prefect' }, proxies })]);
  const headers = { 'strict-transport-security': 'max-age=1; includeSubDomains; preload' };
  for (const edge of [own, shared]) edge.upstream.answerWith(() => ({ status: 200, headers, body: '{}' }));
});
afterAll(() => Promise.all([own?.stop(), shared?.stop()]));

interface Answer {
  readonly status: number | undefined;
  readonly header: IncomingHttpHeaders[string];
}

function ask(edge: StubEdge, path: string, { method = 'GET', host = publicUrl.hostname, ...headers }: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: edge.port, host: '127.0.0.1', path, method, headers: { host, 'content-length': '0', ...headers } }, (response) => {
      response.resume();
      // A repeated header is joined with a comma.
      resolve({ status: response.statusCode, header: response.headers['strict-transport-security'] });
    });
    request.once('error', reject).end();
  });
}

const TOKEN = { 'x-lictor-token': 'tok' };

it.each([
  ['an answer of Prefect', '/api/admin/version', TOKEN, 200],
  ['a page of the UI', '/dashboard', TOKEN, 200],
  ['a page of our own', '/.lictor/login', {}, 200],
  ['a refusal', '/api/admin/version', {}, 401],
  ['a malformed path', '/api//admin', TOKEN, 400],
  ['OPTIONS', '/api/admin/version', { method: 'OPTIONS' }, 204],
])('is on %s', async (_what, path, headers, status) => {
  expect(await ask(own, path, headers)).toEqual({ status, header: PINNED });
});

it('is on nothing under a name that is not ours', async () => {
  expect(await ask(own, '/api/admin/version', { host: 'other.example.com', ...TOKEN })).toEqual({ status: 400, header: undefined });
});

it("is on nothing where the host name is shared by path, and Prefect's own goes no further", async () => {
  expect(await ask(shared, '/prefect/api/admin/version', TOKEN)).toEqual({ status: 200, header: undefined });
  expect(await ask(shared, '/prefect/api/admin/version')).toEqual({ status: 401, header: undefined });
});
