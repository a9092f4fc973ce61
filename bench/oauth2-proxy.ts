// oauth2-proxy, if it is built: it starts with a separate login (without an identity provider) and logs in once.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Running } from '../demo/running.ts';
import type { Environment } from '../src/config/load.ts';
import { LictorError } from '../src/contract/error.ts';
import { freePort } from '../src/operations/supervise/processes/free-port.ts';
import { startProcess } from '../src/operations/supervise/processes/start-process.ts';

export interface Oauth2Proxy {
  readonly port: number;
  /** `name=value` of a session. */
  readonly cookie: string;
}

/** LICTOR_OAUTH2_PROXY, else the one on PATH; undefined when there is none. */
export function findOauth2Proxy(env: Environment): string | undefined {
  const given = env['LICTOR_OAUTH2_PROXY'];
  if (given !== undefined && given !== '') return given;
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, 'oauth2-proxy'))
    .find((file) => existsSync(file));
}

export async function startOauth2Proxy(binary: string, root: string, running: Running): Promise<Oauth2Proxy> {
  const dir = join(root, 'oauth2-proxy');
  mkdirSync(dir);
  const port = await freePort();
  const password = randomBytes(16).toString('hex');
  writeFileSync(join(dir, 'people'), passwordLine('bench', password), { mode: 0o600 });
  writeFileSync(join(dir, 'proxy.cfg'), settings(port, join(dir, 'people')), { mode: 0o600 });
  const url = `http://127.0.0.1:${port}`;
  await running.add((isEnding) =>
    startProcess({
      name: 'oauth2-proxy',
      command: binary,
      args: ['--config', join(dir, 'proxy.cfg')],
      logFile: join(dir, 'proxy.log'),
      ready: async () => isEnding() || (await fetch(`${url}/ping`)).ok,
    }),
  );
  return { port, cookie: await logIn(url, password) };
}

function settings(port: number, peopleFile: string): string {
  const text: Readonly<Record<string, string>> = {
    http_address: `127.0.0.1:${port}`,
    provider: 'github',
    client_id: 'bench',
    client_secret: randomBytes(16).toString('hex'),
    cookie_secret: randomBytes(16).toString('hex'),
    htpasswd_file: peopleFile,
    redirect_url: `http://127.0.0.1:${port}/oauth2/callback`,
  };
  const rest = 'reverse_proxy = true\ncookie_secure = false\nemail_domains = ["*"]\nupstreams = ["static://202"]\n';
  const quiet = 'request_logging = false\nauth_logging = false\nstandard_logging = false\n';
  return `${Object.entries(text)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`)
    .join('')}${rest}${quiet}`;
}

/** A line of an htpasswd file. */
export function passwordLine(name: string, password: string): string {
  return `${name}:{SHA}${createHash('sha1').update(password).digest('base64')}\n`;
}

/** The cookie of a session of the person `bench`. */
export async function logIn(url: string, password: string): Promise<string> {
  const answer = await fetch(`${url}/oauth2/sign_in`, { method: 'POST', body: new URLSearchParams({ username: 'bench', password }), redirect: 'manual' });
  const cookies = answer.headers.getSetCookie().flatMap((cookie) => /^(_oauth2_proxy=[^;]+)/.exec(cookie)?.[1] ?? []);
  if (cookies[0] === undefined)
    throw new LictorError('bench-oauth2-proxy', `oauth2-proxy did not log in (status ${answer.status}): take another version, or leave it away.`);
  return cookies[0];
}
