// Every address that DNS has for public_url: clients try one after the other.
import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import type { PublicUrl } from '../../../../config/config.ts';
import { isLoopback } from '../../../../config/sections/public-url.ts';
import { ok, type Verdict } from '../../finding.ts';
import { fetchServed } from '../../outside/certificates.ts';
import { probe } from '../../outside/http-probe.ts';
import { fault, hint } from '../codes.ts';

export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export const lookupAll: Lookup = (hostname) => dns.lookup(hostname, { all: true });

/** Empty where there is only one address, or the name is of this machine. */
export async function checkNameAddresses({ hostname, port, secure }: PublicUrl, lookup: Lookup): Promise<readonly Verdict[]> {
  if (isLoopback(hostname) || isIP(hostname) !== 0 || hostname.startsWith('[')) return [];
  const addresses = await lookup(hostname).catch(() => []);
  if (addresses.length < 2) return [];
  const seen = await Promise.all(addresses.map(({ address }) => visit(address, { hostname, port, secure })));
  const problems = addressProblems(seen);
  return problems.length > 0 ? problems : [ok(`${addresses.length} addresses of ${hostname} answer alike`)];
}

interface Visited {
  readonly address: string;
  readonly error: string | null;
  /** Of the certificate; empty without TLS. */
  readonly fingerprint: string;
}

async function visit(address: string, { hostname, port, secure }: Pick<PublicUrl, 'hostname' | 'port' | 'secure'>): Promise<Visited> {
  if (!secure) {
    const url = `http://${isIP(address) === 6 ? `[${address}]` : address}:${port}/.lictor/health`;
    const answer = await probe({ url, headers: { host: `${hostname}:${port}` }, timeoutMs: 5_000 });
    return { address, error: answer.ok ? null : answer.error, fingerprint: '' };
  }
  try {
    const { certificate } = await fetchServed({ hostname, port, address, authorities: [] });
    return { address, error: null, fingerprint: certificate.fingerprint256 };
  } catch (error) {
    return { address, error: error instanceof Error ? error.message : String(error), fingerprint: '' };
  }
}

export function addressProblems(seen: readonly Visited[]): readonly Verdict[] {
  const away = seen.filter(({ error }) => error !== null);
  const there = seen.filter(({ error }) => error === null);
  const others = there.filter(({ fingerprint }) => fingerprint !== there[0]?.fingerprint);
  return [
    ...away.map(({ address, error }) => fault('address-unreachable', `DNS has ${address} for public_url, and it does not answer: ${error}`)),
    ...others.map(({ address }) => hint('address-differs', `${address} serves another certificate than ${there[0]?.address}`)),
  ];
}
