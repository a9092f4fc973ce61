// Real faults, planted one by one: `lictor doctor` names each, and none where all is well.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { statePaths } from '../../../src/config/state-dir.ts';
import { type Gateway, startGateway } from '../../env/gateway.ts';
import { sharedPrefect } from '../../env/prefect.ts';
import { freePort } from '../../env/process.ts';
import { type ProxyOptions, startProxy, type TestProxy } from '../../env/proxy.ts';
import { type Recorder, startRecorder } from '../../env/upstream-recorder.ts';
import { diagnose, linesOf } from './room.ts';

let gateway: Gateway;
let recorder: Recorder;
let proxy: TestProxy | undefined;
let spare: string;
beforeAll(async () => {
  const { url, authString } = sharedPrefect();
  gateway = await startGateway({ upstream: { url, authString } });
  recorder = await startRecorder();
  spare = mkdtempSync(join(tmpdir(), 'lictor-test-doctor-'));
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  recorder.answerWith(undefined);
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
  rmSync(spare, { recursive: true, force: true });
});

/** A proxy stands at public_url. */
async function through(options: Omit<ProxyOptions, 'to'>) {
  proxy = await startProxy({ to: gateway.url, ...options });
  return diagnose(gateway, { config: { public_url: proxy.url, listen: `127.0.0.1:${gateway.port}` } });
}

/** Prefect is somebody else. */
function inFrontOf(url: string, authFile?: string) {
  return diagnose(gateway, { config: { prefect: { url, ...(authFile !== undefined && { auth_string_file: authFile }) } } });
}

function secretFile(name: string, text: string): string {
  const file = join(spare, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

function html(_request: IncomingMessage, response: ServerResponse): boolean {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>UI</title>');
  return true;
}

describe('a healthy system', () => {
  it('has no FAIL and no hint, exits 0, and leaves no live token', async () => {
    const found = await diagnose(gateway);
    expect(found.failures).toEqual([]);
    expect(found).toMatchObject({ ok: true, exit: 0 });
    expect(new Set(found.lines.map(({ group }) => group))).toEqual(new Set(['machine', 'edge', 'door', 'upstream', 'sockets']));
    expect(found.lines.filter(({ group }) => group === 'sockets')).toHaveLength(5);
    const tokens: unknown = JSON.parse(await gateway.lictorOk('token', 'list', '--json'));
    expect(tokens).toEqual([expect.objectContaining({ name: expect.stringMatching(/^doctor-/), roles: ['viewer', 'worker'] })]);
    expect(await gateway.lictorOk('token', 'list')).not.toContain(' live ');
    expect(await gateway.lictorOk('audit', '--action', 'token.*')).toMatch(/token\.create[\s\S]*token\.revoke/);
  });

  it('is healthy behind a proxy that passes everything', async () => {
    expect((await through({})).failures).toEqual([]);
  });
});

describe('faults between users and the gateway', () => {
  it('a balancer that strips Upgrade', async () => {
    const found = await through({ stripsUpgrade: true });
    expect(found.failures).toHaveLength(5);
    expect(found.failures[0]).toContain('Upgrade header was dropped');
  });

  it('a proxy that drops X-Lictor-Token', async () => {
    const found = await through({ drops: ['x-lictor-token'] });
    expect(found.failures.filter((message) => message.includes('does not open by X-Lictor-Token'))).toHaveLength(5);
  });

  it('a proxy whose clock is off by an hour', async () => {
    const found = await through({ sets: { date: new Date(Date.now() - 3_600_000).toUTCString() } });
    expect(found.failures).toEqual([expect.stringMatching(/clock of public_url is 36\d\d s behind/)]);
  });

  it('a login proxy that redirects programs', async () => {
    const found = await through({
      answers: (request, response) => {
        if (request.url?.startsWith('/api') !== true || request.headers.upgrade !== undefined) return false;
        response.writeHead(302, { location: 'https://sso.example/' }).end();
        return true;
      },
    });
    expect(found.failures).toEqual([expect.stringContaining('redirected to https://sso.example/')]);
  });

  it('a page in place of the API', async () => {
    const found = await through({ answers: (request, response) => request.url?.startsWith('/api') === true && html(request, response) });
    expect(found.failures.join('\n')).toContain('a page where the API should be');
  });

  it('a page only for browsers', async () => {
    const found = await through({
      answers: (request, response) => request.url?.startsWith('/api') === true && request.headers.accept === 'text/html' && html(request, response),
    });
    expect(linesOf(found, 'door', 'refusal').map(({ status }) => status)).toEqual(['ok', 'fail']);
  });

  it('a proxy that puts its own page in place of errors', async () => {
    const found = await through({
      answers: (request, response) => {
        if (request.url !== '/api/admin/version') return false;
        response.writeHead(401, { 'content-type': 'text/html' }).end('<html>');
        return true;
      },
    });
    expect(found.failures).toEqual([expect.stringContaining('answers 401 with a page')]);
  });

  it('a proxy that sends the UI elsewhere', async () => {
    const found = await through({
      answers: (request, response) => {
        if (request.url !== '/ui-settings') return false;
        response.writeHead(200, { 'content-type': 'application/json' }).end('{"api_url": "http://prefect.internal:4200/api"}');
        return true;
      },
    });
    expect(found.failures).toEqual([expect.stringContaining('http://prefect.internal:4200/api')]);
  });

  it('a public_url that leads nowhere', async () => {
    const found = await diagnose(gateway, { config: { public_url: `http://localhost:${await freePort()}` } });
    expect(linesOf(found, 'door', 'health')).toMatchObject([{ status: 'fail', message: expect.stringContaining('ECONNREFUSED') }]);
  });

  it('a public_url that leads past the gateway', async () => {
    const found = await diagnose(gateway, { config: { public_url: recorder.url.replace('127.0.0.1', 'localhost') } });
    expect(found.failures.join('\n')).toContain('answers without any credential');
  });
});

describe('faults of Prefect', () => {
  it('a wrong auth string', async () => {
    const found = await inFrontOf(sharedPrefect().url, secretFile('wrong', 'gateway:no-such-password\n'));
    expect(found.failures).toEqual([expect.stringContaining('refuses the auth string (401)')]);
    expect(JSON.stringify(found)).not.toContain('no-such-password');
  });

  it('no auth string given', async () => {
    expect((await inFrontOf(sharedPrefect().url)).failures).toEqual([expect.stringContaining('none is configured')]);
  });

  it('a back door: Prefect without an auth string', async () => {
    const found = await inFrontOf(recorder.url);
    expect(linesOf(found, 'upstream', 'back-door')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('PREFECT_SERVER_API_AUTH_STRING') }]);
  });

  it('a Prefect that is down', async () => {
    const found = await inFrontOf(`http://127.0.0.1:${await freePort()}`);
    expect(found.failures).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('a page where Prefect should be', async () => {
    recorder.answerWith(() => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '<!doctype html>' }));
    expect(linesOf(await inFrontOf(recorder.url), 'upstream', 'credential')).toMatchObject([
      { status: 'fail', message: expect.stringContaining('with a page') },
    ]);
  });

  it('a clock of Prefect that is ahead', async () => {
    const date = new Date(Date.now() + 120_000).toUTCString();
    recorder.answerWith(({ target }) => (target === '/api/admin/version' ? { status: 200, headers: { date }, body: '"3.9.1"' } : { status: 401, body: '{}' }));
    expect((await inFrontOf(recorder.url)).failures).toEqual([expect.stringMatching(/clock of Prefect is 1\d\d s ahead/)]);
  });

  it('a UI that is sent elsewhere, and a newer Prefect: hints', async () => {
    const document = { paths: { '/secrets/{id}': { get: { operationId: 'read_secret', parameters: [] } } } };
    recorder.answerWith(({ target, headers }) => {
      if (headers['authorization'] === undefined) return { status: 401, body: '{}' };
      if (target === '/ui-settings') return { status: 200, body: '{"api_url": "http://elsewhere:4200/api"}' };
      return target === '/api/openapi.json' ? { status: 200, body: JSON.stringify(document) } : { status: 200, body: '"3.99.0"' };
    });
    const found = await inFrontOf(recorder.url, secretFile('right', 'gateway:right-password\n'));
    expect(found).toMatchObject({ ok: true, exit: 0 });
    expect(linesOf(found, 'upstream', 'ui-settings')).toMatchObject([{ status: 'warn', message: expect.stringContaining('http://elsewhere:4200/api') }]);
    expect(linesOf(found, 'upstream', 'routes')).toMatchObject([{ status: 'warn', message: expect.stringContaining('read_secret') }]);
  });
});

describe('faults of the machine and the state directory', () => {
  it('an old nginx', async () => {
    const file = join(spare, 'nginx');
    writeFileSync(file, '#!/bin/sh\necho "nginx version: nginx/1.14.2" >&2\n');
    chmodSync(file, 0o755);
    expect((await diagnose(gateway, { env: { LICTOR_NGINX: file } })).failures).toEqual([expect.stringContaining('1.14.2')]);
  });

  it('a socket and a decision cache that are open to others', async () => {
    const { relaySocket, decisionCache } = statePaths(gateway.stateDir, join(gateway.stateDir, 'run'));
    chmodSync(relaySocket, 0o666);
    chmodSync(decisionCache, 0o755);
    const found = await diagnose(gateway);
    chmodSync(relaySocket, 0o600);
    chmodSync(decisionCache, 0o700);
    expect(found.failures).toEqual([expect.stringContaining('relay.sock has mode 666'), expect.stringContaining('mode 755')]);
  });

  it.skipIf(process.geteuid?.() !== 0)("a parent of the state directory that nginx's workers cannot enter", async () => {
    chmodSync(gateway.stateDir, 0o700);
    await gateway.stop();
    await gateway.up();
    expect(linesOf(await diagnose(gateway), 'machine', 'state-dir-parents')).toMatchObject([
      { status: 'warn', message: expect.stringContaining('kept in memory') },
    ]);
    chmodSync(gateway.stateDir, 0o711);
    await gateway.stop();
    await gateway.up();
    expect(linesOf(await diagnose(gateway), 'machine', 'state-dir-parents')).toMatchObject([{ status: 'ok' }]);
    chmodSync(gateway.stateDir, 0o700);
    expect((await diagnose(gateway)).failures).toEqual([expect.stringContaining('request bodies above 128 KiB are lost')]);
  });

  it('a ledger that cannot be written', async () => {
    using holder = new DatabaseSync(join(gateway.stateDir, 'ledger.db'), { timeout: 5_000 });
    holder.exec('BEGIN IMMEDIATE');
    const found = await diagnose(gateway);
    holder.exec('ROLLBACK');
    expect(found.failures.join('\n')).toContain('the ledger cannot be written: database is locked');
    expect(linesOf(found, 'sockets', 'token')).toMatchObject([{ status: 'fail', message: expect.stringContaining('could not be tried') }]);
  });

  it('a store of a newer lictor, and a gateway that does not run: the inside is still checked', async () => {
    const stateDir = mkdtempSync(join(spare, 'state-'));
    using db = new DatabaseSync(join(stateDir, 'lictor.db'));
    db.exec('CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (99)');
    const found = await diagnose(gateway, { stateDir });
    expect(found.failures).toEqual([expect.stringContaining('schema 99'), expect.stringContaining('the gateway does not run')]);
    expect(linesOf(found, 'upstream', 'credential').map(({ status }) => status)).toEqual(['ok', 'ok']);
    expect(found.lines.some(({ group }) => group === 'sockets')).toBe(false);
  });

  it('a broken configuration: every problem is a line', async () => {
    const found = await diagnose(gateway, { config: { prefect: { url: 'nonsense', uri: 1 } } });
    expect(found.failures).toEqual(
      expect.arrayContaining([expect.stringContaining('lictor.yaml prefect.url'), expect.stringContaining('lictor.yaml prefect.uri')]),
    );
    expect(found.exit).toBe(1);
  });
});
