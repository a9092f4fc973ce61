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

export interface Authority {
  /** PEM file of the root. */
  readonly root: string;
  /** `days` below zero: expired. */
  issue(options: { readonly names: readonly string[]; readonly days: number }): Issued;
  remove(): void;
}

/** Created by the openssl program, as PEM files in a separate directory. */
export function createAuthority(): Authority {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-authority-'));
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  const sign = (name: string, issuer: string, extensions: string, days: number): void => {
    writeFileSync(at(`${name}.ext`), extensions);
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    const from = ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`, '-CAcreateserial'];
    openssl('x509', '-req', '-in', `${name}.csr`, ...from, '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  };
  const root = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=root'];
  openssl(...root, '-keyout', 'root.key', '-out', 'root.pem');
  sign('intermediate', 'root', 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n', 30);
  let count = 0;
  return {
    root: at('root.pem'),
    issue({ names, days }) {
      count += 1;
      const name = `leaf-${count}`;
      sign(name, 'intermediate', `subjectAltName=${names.map((host) => `DNS:${host}`).join(',')}\n`, days);
      writeFileSync(at(`${name}.chain.pem`), readFileSync(at(`${name}.pem`), 'utf8') + readFileSync(at('intermediate.pem'), 'utf8'));
      return { leaf: at(`${name}.pem`), chain: at(`${name}.chain.pem`), key: at(`${name}.key`) };
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
