// Whether each carrier of a credential arrives at the gateway, and the headers that protect a browser's session.
import { sessionCookieName } from '../../../../contract/names.ts';
import type { Verdict } from '../../finding.ts';
import { type DeepCode, fault } from '../codes.ts';
import { apiOnce, askAsDoctor, askAsStranger, type Chain, codeOf } from './chain.ts';

export const FOREIGN_ORIGIN = 'https://lictor-doctor.invalid';

export async function checkCarriers(chain: Chain): Promise<readonly Verdict[]> {
  const found = await Promise.all([...tokenCarriers(chain), checkCookie(chain), checkOrigin(chain), checkForeignOrigin(chain)]);
  return found.flat();
}

function tokenCarriers(chain: Chain): readonly Promise<readonly Verdict[]>[] {
  const { token } = chain;
  if (token === null) return [];
  const basic = `Basic ${Buffer.from(`doctor:${token}`).toString('base64')}`;
  return [
    checkToken(chain, token, { code: 'authorization-lost', name: 'Authorization: Bearer', headers: { authorization: `Bearer ${token}` } }),
    checkToken(chain, token, { code: 'authorization-lost', name: 'Authorization: Basic', headers: { authorization: basic } }),
    checkToken(chain, token, { code: 'token-header-lost', name: 'X-Lictor-Token', headers: { 'x-lictor-token': token } }),
  ];
}

interface Carrier {
  readonly code: DeepCode;
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function checkToken(chain: Chain, token: string, { code, name, headers }: Carrier): Promise<readonly Verdict[]> {
  const answer = await askAsDoctor(chain, apiOnce(), token, { headers });
  if (!answer.ok || answer.status !== 401) return [];
  return [fault(code, `${name} does not arrive at the gateway: it answers ${codeOf(answer) ?? 'another 401'}`)];
}

/** The gateway rejects two session cookies as malformed, which proves that they arrive. */
async function checkCookie(chain: Chain): Promise<readonly Verdict[]> {
  const name = sessionCookieName(chain.publicUrl);
  const answer = await askAsStranger(chain, apiOnce(), { headers: { cookie: `${name}=lictor-doctor; ${name}=lictor-doctor` } });
  return codeOf(answer) === 'credential-missing' ? [fault('cookie-lost', 'Cookie does not arrive at the gateway')] : [];
}

/** A logout without a session changes nothing. It needs the own origin. */
async function checkOrigin(chain: Chain): Promise<readonly Verdict[]> {
  const answer = await logOut(chain, chain.publicUrl.origin);
  return codeOf(answer) === 'origin-foreign'
    ? [fault('origin-lost', `Origin: ${chain.publicUrl.origin} does not arrive at the gateway as a browser sends it`)]
    : [];
}

async function checkForeignOrigin(chain: Chain): Promise<readonly Verdict[]> {
  const answer = await logOut(chain, FOREIGN_ORIGIN);
  if (!answer.ok || answer.status !== 200) return [];
  return [fault('origin-replaced', 'the gateway accepts a write of another site: a proxy in between replaces or removes Origin')];
}

export function logOut(chain: Chain, origin: string) {
  const headers = { accept: 'text/html', origin, 'content-type': 'application/x-www-form-urlencoded' };
  return askAsStranger(chain, '/.lictor/logout', { method: 'POST', headers, body: '' });
}
