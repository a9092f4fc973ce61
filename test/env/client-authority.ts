// An authority of client certificates for tests, with revocation; by the openssl program.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM. */
export interface ClientPair {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly certFile: string;
}

export interface ClientOptions {
  /** As openssl writes them: `URI:spiffe://acme/worker`, `DNS:a.example`. */
  readonly names?: readonly string[];
  readonly subject?: string;
  readonly usage?: 'clientAuth' | 'serverAuth';
  /** Below zero: expired. */
  readonly days?: number;
}

export interface ClientAuthority {
  readonly caFile: string;
  /** Empty at first; `revoke` writes it anew. */
  readonly crlFile: string;
  issue(options?: ClientOptions): ClientPair;
  revoke(pair: ClientPair): void;
  remove(): void;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function createClientAuthority(): ClientAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-clients-'));
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  openssl('req', '-x509', ...EC_KEY, '-days', '30', '-subj', '/O=Acme/CN=Acme workers', '-keyout', 'ca.key', '-out', 'ca.pem');
  const settings = 'database=index.txt\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=30\ncertificate=ca.pem\nprivate_key=ca.key\n';
  writeFileSync(at('ca.cnf'), `[ca]\ndefault_ca=own\n[own]\n${settings}`);
  writeFileSync(at('index.txt'), '');
  writeFileSync(at('crlnumber'), '01\n');
  const list = () => openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem');
  list();
  let count = 0;
  return {
    caFile: at('ca.pem'),
    crlFile: at('crl.pem'),
    issue({ names = [], subject = '/CN=client', usage = 'clientAuth', days = 10 } = {}) {
      count += 1;
      const name = `client-${count}`;
      const alternative = names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`;
      writeFileSync(at(`${name}.ext`), `extendedKeyUsage=${usage}\n${alternative}`);
      openssl('req', ...EC_KEY, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
      const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', String(days), '-extfile', `${name}.ext`];
      openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`);
      return { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)), certFile: at(`${name}.pem`) };
    },
    revoke({ certFile }) {
      openssl('ca', '-config', 'ca.cnf', '-revoke', certFile);
      list();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
