// Errors that end `lictor exec` before it starts the command.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from './main.ts';
import { openTestSidecar, REFUSAL, type TestSidecar } from './sidecar/gateway.fixture.ts';

let cwd: string;
let test: TestSidecar;
beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'lictor-exec-'));
  test = await openTestSidecar();
  for (const [name, text] of Object.entries({ good: 'c1', bad: 'c9' })) writeFileSync(join(cwd, name), text, { mode: 0o600 });
});
afterAll(async () => {
  await test.close();
  rmSync(cwd, { recursive: true, force: true });
});

async function exec(args: readonly string[], env: Record<string, string> = {}) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({
    args: ['exec', ...args],
    out,
    err,
    env: { PATH: process.env['PATH'] ?? '', LICTOR_URL: test.gateway.origin, LICTOR_CONFIG_DIR: cwd, ...env },
    cwd,
  });
  return { status, err: String(err.read() ?? '') };
}

const as = (name: string): readonly string[] => ['--as', `token:${join(cwd, name)}`];

describe('lictor exec', () => {
  it.each<readonly [string, () => readonly string[], Record<string, string>, number, RegExp]>([
    ['no gateway is named', () => [...as('good'), '--', 'true'], { LICTOR_URL: '' }, 2, /Which gateway\?/],
    [
      'the gateway is plain http elsewhere',
      () => [...as('good'), '--url', 'http://prefect.example.com', '--', 'true'],
      {},
      2,
      /show the credential to the network/,
    ],
    ['the token is on the command line', () => ['--as', 'token:lct_0123456789', '--', 'true'], {}, 2, /can be read by every user/],
    ['nobody is logged in', () => ['--', 'true'], {}, 1, /You are not logged in at .*: lictor login http/],
    ['the STS of AWS is plain http elsewhere', () => ['--as', 'aws-iam', '--', 'true'], { AWS_ENDPOINT_URL_STS: 'http://sts.example' }, 2, /no https address/],
    ['there is no command', () => as('good'), {}, 2, /missing required argument/],
    ['the authorities cannot be read', () => [...as('good'), '--', 'true'], { SSL_CERT_FILE: '/nonexistent.pem' }, 2, /nonexistent\.pem .*cannot be read/],
    ['the proxy is no address', () => [...as('good'), '--', 'true'], { HTTPS_PROXY: 'http://user:pa55@:bad' }, 2, /HTTPS_PROXY/],
    ['the token file is missing', () => [...as('missing'), '--', 'true'], {}, 1, /missing does not exist/],
    ['the gateway refuses the token', () => [...as('bad'), '--', 'true'], {}, 1, new RegExp(`401.*${REFUSAL.detail} \\(credential-expired\\) ${REFUSAL.hint}`)],
    ['there is no such program', () => [...as('good'), '--', 'no-such-program'], {}, 127, /no-such-program: there is no such program/],
    ['the program cannot be run', () => [...as('good'), '--', '/dev/null'], {}, 126, /cannot be run/],
  ])('says so when %s', async (_what, args, env, status, words) => {
    const ended = await exec(args(), env);
    expect(ended.err).toMatch(words);
    expect(ended.err).not.toMatch(/0123456789|pa55/);
    expect(ended.status).toBe(status);
  });

  it('runs the command with the environment of the loopback address, and ends as it ends', async () => {
    const script = 'test "${PREFECT_API_URL#http://127.0.0.1:}" != "$PREFECT_API_URL" && test -z "$PREFECT_API_KEY" && exit 7';
    expect(await exec([...as('good'), '--', 'sh', '-c', script], { PREFECT_API_KEY: 'old' })).toEqual({ status: 7, err: '' });
  });

  it('takes the address from PREFECT_API_URL, and --url before it', async () => {
    const url = `${test.gateway.origin}/api`;
    expect((await exec([...as('good'), '--', 'true'], { LICTOR_URL: '', PREFECT_API_URL: url })).status).toBe(0);
    expect((await exec([...as('good'), '--url', url, '--', 'true'], { LICTOR_URL: 'https://elsewhere.example' })).status).toBe(0);
  });
});
