// research row SM-02: what HTTP/2 allows inside a frame must not become something else in HTTP/1.1.
import { mkdtempSync } from 'node:fs';
import { connect, type OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../../env/gateway.ts';
import { run } from '../../env/process.ts';
import { type Recorder, startRecorder } from '../../env/upstream-recorder.ts';

let gateway: Gateway;
let recorder: Recorder;
let admin: string;

beforeAll(async () => {
  const tls = await selfSigned();
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder, tls });
  admin = (await gateway.token('admin', ['admin'])).secret;
});
beforeEach(() => recorder.clear());
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

async function selfSigned(): Promise<{ readonly cert: string; readonly key: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-tls-'));
  const [cert, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject];
  const made = await run({ name: 'openssl', command: 'openssl', args, env: process.env });
  if (made.code !== 0) throw new Error(`openssl: ${made.output}`);
  return { cert, key };
}

/** The status; `reset` when the stream or the session was closed instead of answered. */
function ask(headers: OutgoingHttpHeaders): Promise<number | 'reset'> {
  return new Promise((resolve) => {
    const session = connect(gateway.url, { rejectUnauthorized: false });
    const finish = (outcome: number | 'reset'): void => {
      session.destroy();
      resolve(outcome);
    };
    session.once('error', () => finish('reset'));
    try {
      const stream = session.request({ authorization: `Bearer ${admin}`, ...headers });
      stream.once('response', (answer) => finish(answer[':status'] ?? 'reset'));
      stream.once('error', () => finish('reset'));
      stream.end();
    } catch {
      // Node itself refuses to send it: then it cannot arrive either.
      finish('reset');
    }
  });
}

it.each([
  ['a space in :path', { ':path': '/api/work_pools/a b' }],
  ['CRLF in :path', { ':path': '/api/work_pools/a\r\nX: y' }],
  ['a dot segment in :path', { ':path': '/api/health/../variables/filter' }],
  ['an encoded slash in :path', { ':path': '/api%2Fadmin/version' }],
  ['transfer-encoding', { ':path': '/api/work_pools/p', 'transfer-encoding': 'chunked' }],
  ['a foreign :authority', { ':path': '/api/work_pools/p', ':authority': 'evil.example' }],
  ['a host that is not :authority', { ':path': '/api/work_pools/p', ':authority': 'localhost', host: 'evil.example' }],
])('SM-02: %s is refused and goes nowhere', async (_what, headers) => {
  const status = await ask(headers);
  expect(status === 'reset' || status === 400, String(status)).toBe(true);
  expect(recorder.seen()).toEqual([]);
});

it('SM-02 twin: an honest HTTP/2 request is forwarded', async () => {
  expect(await ask({ ':path': '/api/work_pools/p' })).toBe(200);
  expect(recorder.seen().map(({ target }) => target)).toEqual(['/api/work_pools/p']);
});
