// The console: its page only with a session, its policy, and a closed list of files.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { consoleFiles } from './console-files.ts';
import { CONFIG, cookieOf, HTML, useOwnApp } from './own-app.fixture.ts';

const { reconfigure, ask, logIn } = useOwnApp();

const PAGE = '<meta name="lictor-base" content="@BASE@"><script src="@BASE@/assets/index-a1.js" nonce="@NONCE@"></script>';
const SCRIPT = 'export const text = "of the console";';
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-console-'));
  reconfigure({ console: consoleFiles(directory) });
});
afterEach(() => rmSync(directory, { recursive: true }));

function build(): void {
  mkdirSync(join(directory, 'assets'));
  const files = {
    'index.html': PAGE,
    'secret.txt': 'secret',
    'assets/index-a1.js': SCRIPT,
    'assets/index-a1.js.br': 'as br',
    'assets/index-a1.js.gz': 'as gzip',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  writeFileSync(join(directory, 'assets/notes.txt'), 'secret');
}

const session = async (): Promise<string> => cookieOf(await logIn());
const open = async (path: string, from?: string) => ask(path, { session: from ?? (await session()), headers: HTML });
const nonceOf = (text: string): string => /nonce="([^"]+)"/.exec(text)?.[1] ?? '';

describe('the page of the console', () => {
  it.each(['/.lictor/console/', '/.lictor/console/runs/1?tab=table', '/.lictor/console/a/b/c'])('is at %s, with the strict policy', async (path) => {
    build();
    const { statusCode, headers, body } = await open(path);
    expect([statusCode, headers['cache-control'], headers['x-frame-options']]).toEqual([200, 'no-store', 'DENY']);
    const nonce = nonceOf(body);
    expect(body).toBe(PAGE.replaceAll('@BASE@', '/.lictor/console').replace('@NONCE@', nonce));
    expect(String(headers['content-security-policy']).split('; ')).toEqual([
      "default-src 'none'",
      `script-src 'nonce-${nonce}' 'strict-dynamic'`,
      `style-src 'self' 'nonce-${nonce}'`,
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ]);
    expect(headers).toMatchObject({ 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'same-origin', 'x-content-type-options': 'nosniff' });
    expect(headers['permissions-policy']).toContain('camera=()');
  });

  it('has another nonce in each answer', async () => {
    build();
    const from = await session();
    const nonces = [nonceOf((await open('/.lictor/console/', from)).body), nonceOf((await open('/.lictor/console/', from)).body)];
    expect(new Set(nonces).size).toBe(2);
    expect(nonces[0]).toMatch(/^[\w-]{24}$/);
  });

  it('names its files below the path of public_url', async () => {
    build();
    reconfigure({ console: consoleFiles(directory), config: { publicUrl: { ...CONFIG.publicUrl, basePath: '/prefect' } } });
    const login = await ask('/prefect/.lictor/login', {
      method: 'POST',
      sameOrigin: true,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...HTML },
      body: 'username=alice&password=correct+horse',
    });
    const { body } = await open('/prefect/.lictor/console/', cookieOf(login));
    expect(body).toContain('src="/prefect/.lictor/console/assets/index-a1.js"');
  });

  it('is not shown without a session: the login leads back to the same address', async () => {
    build();
    const wanted = '/.lictor/console/search?q=principal%3Aalice+decision%3Adeny&record=7';
    const answer = await open(wanted, '');
    expect([answer.statusCode, answer.body]).toEqual([302, '']);
    const attempt = new URL(String(answer.headers.location), 'http://x').searchParams.get('attempt') ?? '';
    expect((await logIn({ attempt })).headers.location).toBe(wanted);
    expect((await open(wanted, 'not-a-session')).statusCode).toBe(302);
    expect((await ask(wanted)).statusCode).toBe(401);
  });

  it('has one address: without the slash it leads there', async () => {
    const { statusCode, headers } = await open('/.lictor/console', '');
    expect([statusCode, headers.location]).toEqual([308, '/.lictor/console/']);
  });

  it('answers HEAD without a body', async () => {
    build();
    const answer = await ask('/.lictor/console/', { method: 'HEAD', session: await session(), headers: HTML });
    expect([answer.statusCode, answer.body]).toEqual([200, '']);
  });

  it('says what to do when the console is not built, and is there once it is', async () => {
    const from = await session();
    const missing = await open('/.lictor/console/', from);
    expect([missing.statusCode, missing.body]).toEqual([503, expect.stringContaining('npm run console')]);
    build();
    expect((await open('/.lictor/console/', from)).statusCode).toBe(200);
  });
});

describe('a file of the console', () => {
  const asset = (name: string, encoding?: string) =>
    ask(`/.lictor/console/assets/${name}`, { headers: encoding === undefined ? {} : { 'accept-encoding': encoding } });

  it('needs no session, and a browser asks for it once', async () => {
    build();
    const { statusCode, headers, body } = await asset('index-a1.js');
    expect([statusCode, body]).toEqual([200, SCRIPT]);
    expect(headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'public, max-age=31536000, immutable' });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin', vary: 'accept-encoding' });
  });

  it.each([
    ['gzip, deflate, br, zstd', 'br', 'as br'],
    ['gzip', 'gzip', 'as gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip', 'as gzip'],
    ['BR', 'br', 'as br'],
    ['br; q=0.0', undefined, SCRIPT],
    ['identity', undefined, SCRIPT],
    ['brotli', undefined, SCRIPT],
  ])('for "%s" is encoded as %s', async (accepted, encoding, text) => {
    build();
    const { headers, body } = await asset('index-a1.js', accepted);
    expect([headers['content-encoding'], body]).toEqual([encoding, text]);
  });

  it.each([
    'nothing.js',
    'index-a1.js.br',
    'notes.txt',
    '..%2fsecret.txt',
    '%2e%2e%2fsecret.txt',
    '..%5csecret.txt',
    '__proto__',
    'constructor',
    '../secret.txt',
  ])('is not found as %s', async (name) => {
    build();
    const { statusCode, body } = await asset(name);
    expect([statusCode === 404 || statusCode === 401, body.includes('"secret"')]).toEqual([true, false]);
    expect(body).not.toBe('secret');
  });

  it('is not found before the console is built', async () => {
    expect((await asset('index-a1.js')).statusCode).toBe(404);
  });
});
