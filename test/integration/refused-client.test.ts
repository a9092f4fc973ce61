// A stock client that is not let in: it ends with an error that says what to do, and nothing reaches the upstream.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CarrierName, stockClient } from '../env/client.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import type { Finished } from '../env/process.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const { venv } = sharedPrefect();
let gateway: Gateway;
let recorder: Recorder;

beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder });
});
beforeEach(() => recorder.clear());
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

function prefect(carrier: CarrierName, token: string, ...args: string[]): Promise<Finished> {
  return stockClient({ venv, url: gateway.url, credential: { carrier, token } }).prefect(args);
}

describe('no, a wrong, an expired, a revoked token', () => {
  it.each<readonly [string, CarrierName, string, () => Promise<string>]>([
    ['no credential', 'none', 'credential-missing', async () => ''],
    ['a wrong token', 'auth-string', 'credential-malformed', async () => `lct_${'0'.repeat(68)}`],
    ['something that is no token', 'custom-authorization', 'credential-', async () => 'hunter2'],
    ['an expired token', 'custom-x-lictor-token', 'credential-expired', async () => (await gateway.token('expired', ['admin'], '--expires', '1ms')).secret],
    ['a revoked token', 'api-key', 'credential-revoked', () => revoked()],
  ])('%s: the command line fails, shows code and hint, and nothing goes upstream', async (_what, carrier, code, token) => {
    const { code: exit, output } = await prefect(carrier, await token(), 'work-pool', 'ls');
    expect(exit, output).not.toBe(0);
    expect(output).toContain(code);
    expect(output).toContain("'hint': '");
    expect(recorder.seen()).toEqual([]);
  });

  it('a worker without a token exits and shows why', async () => {
    const { code, output } = await prefect('none', '', 'worker', 'start', '--pool', 'p', '--type', 'process');
    expect(code, output).not.toBe(0);
    expect(output).toContain('credential-missing');
    expect(recorder.seen()).toEqual([]);
  });

  async function revoked(): Promise<string> {
    const { secret } = await gateway.token('gone', ['admin']);
    await gateway.lictorOk('token', 'revoke', 'gone');
    return secret;
  }
});

describe('an API key alone', () => {
  it('HTTP works', async () => {
    const { secret } = await gateway.token('key', ['deployer']);
    const { code, output } = await prefect('api-key', secret, 'work-pool', 'ls');
    expect(code, output).toBe(0);
  });

  it.each(['/api/events/in', '/api/events/out', '/api/logs/out'])('%s closes with 1008: the client sends a null token there', async (path) => {
    const end = await openSocket(gateway.url, path, { first: authFrame(null) }).ended;
    expect(end).toMatchObject({ code: 1008 });
    expect(recorder.seen()).toEqual([]);
  });

  it('the refusal and the ledger say which setting to use', async () => {
    const end = await openSocket(gateway.url, '/api/events/out', { first: authFrame(null) }).ended;
    expect(end.reason).toMatch(/PREFECT_API_AUTH_STRING|PREFECT_CLIENT_CUSTOM_HEADERS/);
    await waitFor(
      async () => jsonLines(await gateway.lictorOk('audit', '--decision', 'deny', '--json')).some((record) => record['reason'] === 'socket-token-missing'),
      {
        what: 'the record',
      },
    );
  });

  it('token create says so too', async () => {
    expect(await gateway.lictorOk('token', 'create', 'told', '--role', 'viewer')).toMatch(/PREFECT_API_AUTH_STRING|PREFECT_CLIENT_CUSTOM_HEADERS/);
  });

  it('a command that needs the socket fails instead of hanging', async () => {
    const { secret } = await gateway.token('key-2', ['deployer']);
    const { code, output } = await prefect('api-key', secret, 'events', 'stream');
    expect(code, output).not.toBe(null);
    expect(recorder.seen().filter(({ socket }) => socket)).toEqual([]);
  });
});
