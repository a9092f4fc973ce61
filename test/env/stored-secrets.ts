// Searches the files of a gateway for every secret that the tests of the file have seen: it must store none.
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../../src/contract/errno.ts';

/** Of one test file. */
const seen = new Set<string>();
/** Shorter ones stand in other words by chance. */
const SHORTEST = 12;

/** A password, a cookie's value, a code, a token: it must be nowhere in a state directory. */
export function noteSecret(value: string | null | undefined): void {
  if (value != null && value.length >= SHORTEST) seen.add(value);
}

export function forgetSecrets(): void {
  seen.clear();
}

/** Every value of a `Cookie` header. */
export function noteCookies(cookie: string): void {
  for (const pair of cookie.split('; ')) noteSecret(pair.slice(pair.indexOf('=') + 1));
}

/** The secrets in an address from or to an identity provider: with them, an attacker could act as a person. */
export function noteAddress(address: string): void {
  const { searchParams } = new URL(address, 'http://relative.invalid');
  for (const name of ['code', 'SAMLResponse', 'id_token_hint', 'logout_token']) noteSecret(searchParams.get(name));
}

/** Secrets that their form identifies. */
const KINDS: readonly (readonly [kind: string, form: RegExp])[] = [
  ['a service token', /lct_[0-9a-z]{68}/],
  ['an access token', /lc[au]_[0-9a-z]{68}/],
  ["a run's token", /lcf_[0-9a-z]{68}/],
  ['a refresh token, device code or authorization code', /lc[rdc]_[0-9a-z]{68}/],
  ['a JWT', /eyJ[\w-]{20,}\.[\w-]{20,}/],
  ['a SAML message', /PHNhbWwy?p?:|<(?:saml2?p?:)?(?:Response|Assertion)[ >]/],
  ['an Authorization header', /\b(?:Bearer [\w.~+/-]{20,}|Basic [A-Za-z0-9+/]{16,})/],
];

/** What tests write themselves, what Lictor reads there for its sidecar, and the files that nginx has the credentials of upstreams from. */
const EXEMPT =
  /^(?:lictor\.yaml|prefect-(?:auth|key)(?:\.next)?|upstream-credential(?:-next)?\.conf|service_[a-z0-9-]+_credential\.conf|answer-credentials\.conf|\.config|compile-cache)$/;

const CHUNK_BYTES = 4 << 20;
const OVERLAP_BYTES = 8 << 10;

/** A line for each file that holds a secret; never the secret. */
export function secretsBelow(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (EXEMPT.test(entry.name)) return [];
    if (entry.isDirectory()) return secretsBelow(path);
    return entry.isFile() ? kindsInFile(path).map((kind) => `${path} holds ${kind}`) : [];
  });
}

export function secretsIn(text: string): readonly string[] {
  const noted = [...seen].some((secret) => text.includes(secret)) ? ['a secret that a test has seen'] : [];
  return [...KINDS.filter(([, form]) => form.test(text)).map(([kind]) => kind), ...noted];
}

function kindsInFile(path: string): readonly string[] {
  const file = openIfThere(path);
  if (file === undefined) return [];
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const kinds = new Set<string>();
  for (let at = 0; ; at += CHUNK_BYTES - OVERLAP_BYTES) {
    const length = readSync(file, buffer, 0, CHUNK_BYTES, at);
    for (const kind of secretsIn(buffer.toString('latin1', 0, length))) kinds.add(kind);
    if (length < CHUNK_BYTES) break;
  }
  closeSync(file);
  return [...kinds];
}

/** A process that ends meanwhile takes what its database needed along. */
function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
