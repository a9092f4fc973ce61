// Logs a built-in account in over HTTP, as a browser's form does.
import { get as getPlain } from 'node:http';
import { get as getSecure } from 'node:https';
import { noteAddress, noteCookies } from './stored-secrets.ts';

export interface Session {
  /** A whole `Cookie` header. */
  readonly cookie: string;
}

/** Name and value pairs of every cookie that an answer sets. */
export function cookiesOf(response: Response): string {
  return pairsOf(response.headers.getSetCookie());
}

function pairsOf(lines: readonly string[]): string {
  const cookie = lines
    .map((line) => line.split(';')[0] ?? '')
    .filter((pair) => !pair.endsWith('='))
    .join('; ');
  noteCookies(cookie);
  return cookie;
}

/** GET the login page, POST its form. Throws when no session comes of it. */
export async function logIn(url: string, account: { readonly name: string; readonly password: string }): Promise<Session> {
  const { response } = await postLogin(url, account);
  const [cookie = ''] = cookiesOf(response).split('; '); // The cookie of the device comes second.
  if (cookie === '') throw new Error(`login as ${account.name}: ${response.status}, no cookie: ${(await response.text()).slice(0, 300)}`);
  return { cookie };
}

/** The same without judging the answer. `before` is the cookie of the page that held the form. */
export async function postLogin(
  url: string,
  account: { readonly name: string; readonly password: string },
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly response: Response; readonly before: string }> {
  const page = await fetch(`${url}/.lictor/login`, { redirect: 'manual', headers: { accept: 'text/html' } });
  const before = cookiesOf(page);
  const form = new URLSearchParams({ ...hiddenFields(await page.text()), username: account.name, password: account.password });
  const response = await fetch(`${url}/.lictor/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: new URL(url).origin, accept: 'text/html', ...(before !== '' && { cookie: before }), ...headers },
    body: form,
  });
  return { response, before };
}

function hiddenFields(html: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1];
    if (name !== undefined) fields[name] = /value="([^"]*)"/.exec(tag)?.[1] ?? '';
  }
  return fields;
}

/** The answer to a browser's navigation, with any certificate. Not by fetch, which always sends `Sec-Fetch-Mode: cors`. */
export function navigate(
  url: string | URL,
  cookie = '',
): Promise<{ readonly status: number; readonly location: string | undefined; readonly cookies: string; readonly html: string }> {
  const headers = {
    accept: 'text/html,application/xhtml+xml',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-site': 'none',
    'sec-fetch-dest': 'document',
    ...(cookie !== '' && { cookie }),
  };
  return new Promise((resolve, reject) => {
    const get = new URL(url).protocol === 'https:' ? getSecure : getPlain;
    get(url, { headers, rejectUnauthorized: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const { location } = response.headers;
        noteAddress(String(url));
        if (location !== undefined) noteAddress(location);
        const cookies = pairsOf(response.headers['set-cookie'] ?? []);
        resolve({ status: response.statusCode ?? 0, location, cookies, html: Buffer.concat(chunks).toString() });
      });
    }).once('error', reject);
  });
}
