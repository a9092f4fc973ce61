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
  /** Signed by an authority below this one, whose list is in `crlFile` from the beginning. The pair brings that one's certificate along, or not. */
  issueBelow(options: ClientOptions & { readonly chain: 'sent' | 'left out' }): ClientPair;
  revoke(pair: ClientPair): void;
  remove(): void;
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function createClientAuthority(): ClientAuthority {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-clients-'));
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  openssl('req', '-x509', ...EC_KEY, '-days', '30', '-subj', '/O=Acme/CN=Acme workers', '-keyout', 'ca.key', '-out', 'ca.pem');
  writeFileSync(at('below.ext'), 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n');
  openssl('req', ...EC_KEY, '-subj', '/O=Acme/CN=Acme workers of one team', '-keyout', 'below.key', '-out', 'below.csr');
  openssl('x509', '-req', '-in', 'below.csr', ...signedBy('ca'), '-days', '20', '-extfile', 'below.ext', '-out', 'below.pem');
  for (const ca of ['ca', 'below']) {
    const settings = `database=${ca}.txt\ncrlnumber=${ca}.number\ndefault_md=sha256\ndefault_crl_days=30\ncertificate=${ca}.pem\nprivate_key=${ca}.key\n`;
    writeFileSync(at(`${ca}.cnf`), `[ca]\ndefault_ca=own\n[own]\n${settings}`);
    writeFileSync(at(`${ca}.txt`), '');
    writeFileSync(at(`${ca}.number`), '01\n');
  }
  const list = (): void => {
    for (const ca of ['ca', 'below']) openssl('ca', '-config', `${ca}.cnf`, '-gencrl', '-out', `${ca}.crl`);
    writeFileSync(at('crl.pem'), Buffer.concat(['ca', 'below'].map((ca) => readFileSync(at(`${ca}.crl`)))));
  };
  list();
  let count = 0;
  const signers = new Map<string, string>();
  const issue = (by: string, { names = [], subject = '/CN=client', usage = 'clientAuth', days = 10 }: ClientOptions): ClientPair => {
    count += 1;
    const name = `client-${count}`;
    const alternative = names.length === 0 ? '' : `subjectAltName=${names.join(',')}\n`;
    writeFileSync(at(`${name}.ext`), `extendedKeyUsage=${usage}\n${alternative}`);
    openssl('req', ...EC_KEY, '-subj', subject, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, ...signedBy(by), '-days', String(days), '-extfile', `${name}.ext`, '-out', `${name}.pem`);
    signers.set(at(`${name}.pem`), by);
    return { cert: readFileSync(at(`${name}.pem`)), key: readFileSync(at(`${name}.key`)), certFile: at(`${name}.pem`) };
  };
  return {
    caFile: at('ca.pem'),
    crlFile: at('crl.pem'),
    issue: (options = {}) => issue('ca', options),
    issueBelow({ chain, ...options }) {
      const pair = issue('below', options);
      return chain === 'sent' ? { ...pair, cert: Buffer.concat([pair.cert, readFileSync(at('below.pem'))]) } : pair;
    },
    revoke({ certFile }) {
      openssl('ca', '-config', `${signers.get(certFile)}.cnf`, '-revoke', certFile);
      list();
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function signedBy(name: string): readonly string[] {
  return ['-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial'];
}
