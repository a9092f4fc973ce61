// A certificate authority for tests, with one intermediate: certificates with any names and any time left.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Issued {
  /** Server certificate alone, and with the intermediate behind it. */
  readonly leaf: string;
  readonly chain: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly names: readonly string[];
  readonly days: number;
  /** What `openssl req` makes the key with; default: a curve. */
  readonly key?: readonly string[];
  readonly digest?: 'sha1' | 'sha256';
  /** Default: those of RFC 5280. */
  readonly identifiers?: false;
}

export interface Authority {
  /** PEM file of the root. */
  readonly root: string;
  readonly intermediate: string;
  /** `days` below zero: expired. */
  issue(options: IssueOptions): Issued;
  remove(): void;
}

interface Signing extends Pick<IssueOptions, 'days' | 'key' | 'digest'> {
  readonly extensions: string;
}

const CURVE = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
/** RFC 5280, 4.2.1: Python 3.13 rejects certificates without them. */
const IDENTIFIERS = 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n';

/** Created by the openssl program, as PEM files in a separate directory. */
export function createAuthority({ intermediateDays = 30 }: { readonly intermediateDays?: number } = {}): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-authority-'));
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  const sign = (name: string, issuer: string, { extensions, days, key = CURVE, digest = 'sha256' }: Signing): void => {
    writeFileSync(at(`${name}.ext`), extensions);
    openssl('req', '-newkey', ...key, '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const from = [`-${digest}`, '-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...from, '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  };
  const root = ['req', '-x509', '-newkey', ...CURVE, '-nodes', '-days', '30', '-subj', '/CN=root', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
  openssl(...root, '-keyout', 'root.key', '-out', 'root.pem');
  const own = `basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n${IDENTIFIERS}`;
  sign('intermediate', 'root', { extensions: own, days: intermediateDays });
  let count = 0;
  return {
    root: at('root.pem'),
    intermediate: at('intermediate.pem'),
    issue({ names, identifiers, ...signing }) {
      count += 1;
      const name = `leaf-${count}`;
      const extensions = `subjectAltName=${names.map((host) => `DNS:${host}`).join(',')}\n${identifiers === false ? 'authorityKeyIdentifier=none\n' : IDENTIFIERS}`;
      sign(name, 'intermediate', { extensions, ...signing });
      writeFileSync(at(`${name}.chain.pem`), readFileSync(at(`${name}.pem`), 'utf8') + readFileSync(at('intermediate.pem'), 'utf8'));
      return { leaf: at(`${name}.pem`), chain: at(`${name}.chain.pem`), key: at(`${name}.key`) };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
