// What lictor login keeps, and that several processes refresh it once.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SourceError } from '../credential.ts';
import { personLogin } from '../sources/login.ts';
import type { Refused, Tokens } from './authorization.ts';
import { openCredentials, type StoredLogin } from './credentials.ts';
import { inTurn } from './lock.ts';

const ADDRESS = 'https://prefect.example.com/prefect';
const GATEWAY = { origin: 'https://prefect.example.com', hostname: 'prefect.example.com', basePath: '/prefect' };
const NOW = 1_800_000_000_000;
const LOGIN: StoredLogin = { accessToken: 'lcu_one', expiresAtMs: NOW + 600_000, refreshToken: 'lcr_one', principal: 'alice@local' };

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lictor-login-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const open = () => openCredentials({ LICTOR_CONFIG_DIR: dir });

async function keep(login: StoredLogin): Promise<void> {
  await open().change(async (_kept, write) => write({ current: ADDRESS, logins: { [ADDRESS]: login } }));
}

describe('the file', () => {
  it('is private to the user, is written atomically, and is read back', async () => {
    expect(open().read()).toEqual({ current: null, logins: {} });
    await keep(LOGIN);
    expect(statSync(open().file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).sort()).toEqual(['credentials.json', 'credentials.lock']);
    expect(open().read()).toEqual({ current: ADDRESS, logins: { [ADDRESS]: LOGIN } });
    expect(JSON.parse(readFileSync(open().file, 'utf8'))).toMatchObject({ version: 1, logins: { [ADDRESS]: { refresh_token: 'lcr_one' } } });
  });

  it('is rejected if others can read it, or if it is malformed', async () => {
    await keep(LOGIN);
    chmodSync(open().file, 0o640);
    expect(() => open().read()).toThrow(/chmod 600/);
    for (const text of ['', '{', '[]', '{"version":2,"logins":{}}', '{"version":1,"logins":{"x":{"access_token":1}}}']) {
      writeFileSync(open().file, text);
      chmodSync(open().file, 0o600);
      expect(() => open().read(), text).toThrow(/damaged/);
    }
  });

  it.each([
    ['linux', { HOME: '/home/a' }, '/home/a/.config/lictor/credentials.json'],
    ['linux', { HOME: '/home/a', XDG_CONFIG_HOME: '/x' }, '/x/lictor/credentials.json'],
    ['darwin', { HOME: '/Users/a' }, '/Users/a/Library/Application Support/lictor/credentials.json'],
  ] as const)('is where %s keeps settings: %j', (platform, env, file) => {
    expect(openCredentials(env, platform).file).toBe(file);
  });
});

describe('the lock', () => {
  it('admits one at a time, and the next one after a failure', async () => {
    const file = join(dir, 'lock');
    const order: string[] = [];
    const one = inTurn(file, async () => {
      order.push('one in');
      await new Promise((resolve) => setTimeout(resolve, 30));
      order.push('one out');
      throw new Error('failed');
    });
    const two = inTurn(file, async () => void order.push('two'));
    await expect(one).rejects.toThrow('failed');
    await two;
    expect(order).toEqual(['one in', 'one out', 'two']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is not waited for without end', async () => {
    const file = join(dir, 'lock');
    let done = (): void => {};
    const held = inTurn(
      file,
      () =>
        new Promise<void>((resolve) => {
          done = resolve;
        }),
    );
    await expect(inTurn(file, async () => undefined, 60)).rejects.toThrow(SourceError);
    done();
    await held;
  });
});

describe('the credential of a login', () => {
  let asked: string[];
  let answer: (refreshToken: string) => Promise<Tokens | Refused>;
  beforeEach(() => {
    asked = [];
    answer = async () => ({ accessToken: `lcu_${asked.length + 1}`, expiresAtMs: NOW + 600_000, refreshToken: `lcr_${asked.length + 1}` });
  });
  const source = () =>
    personLogin({
      gateway: GATEWAY,
      credentials: open(),
      authorization: {
        refresh: (refreshToken) => {
          asked.push(refreshToken);
          return answer(refreshToken);
        },
      },
      clock: () => NOW,
    });
  const obtain = (from = source()) => from.obtain(AbortSignal.timeout(5000));

  it('is the stored one while it is fresh; a repeated request refreshes it, and stores the new one', async () => {
    await keep(LOGIN);
    const one = source();
    expect(await obtain(one)).toEqual({ secret: 'lcu_one', expiresAtMs: NOW + 600_000, lookAgainMs: null });
    expect(asked).toEqual([]);
    expect((await obtain(one)).secret).toBe('lcu_2');
    expect(asked).toEqual(['lcr_one']);
    expect(open().read().logins[ADDRESS]).toMatchObject({ accessToken: 'lcu_2', refreshToken: 'lcr_2', principal: 'alice@local' });
  });

  it('is refreshed once for simultaneous requests', async () => {
    await keep({ ...LOGIN, expiresAtMs: NOW + 10_000 });
    const all = await Promise.all(Array.from({ length: 8 }, () => obtain()));
    expect(asked).toEqual(['lcr_one']);
    expect(new Set(all.map(({ secret }) => secret))).toEqual(new Set(['lcu_2']));
  });

  it('is removed after the gateway has ended it, and stays in an outage', async () => {
    await keep({ ...LOGIN, expiresAtMs: NOW });
    answer = async () => ({ refused: 'locked', error: 'invalid_grant', words: 'Locked.' });
    await expect(obtain()).rejects.toMatchObject({ final: true, message: expect.stringContaining('locked') });
    answer = async () => {
      throw new SourceError('away', { final: false });
    };
    await expect(obtain()).rejects.toMatchObject({ final: false });
    expect(open().read().logins[ADDRESS]).toBeDefined();
    answer = async () => ({ refused: 'login-ended', error: 'invalid_grant', words: 'Log in again.' });
    await expect(obtain()).rejects.toMatchObject({ final: true, message: expect.stringContaining('Log in again.') });
    expect(open().read().logins).toEqual({});
    await expect(obtain()).rejects.toThrow(`lictor login ${ADDRESS}`);
  });
});
