// The address of a client as the gateway records it. A client must not be able to choose it, and it must not be that of a proxy.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { isLoopback } from '../../../../config/sections/public-url.ts';
import { unmapped } from '../../../../contract/network.ts';
import { isInNetworks } from '../../../../identity/authn/service-token/networks.ts';
import { type Verdict, warn } from '../../finding.ts';
import { parseJson } from '../../outside/http-probe.ts';
import { fault, hint } from '../codes.ts';
import { apiOnce, askAsStranger, type Chain } from './chain.ts';

export interface AddressSubject {
  readonly chain: Chain;
  /** trusted_proxies. */
  readonly trusted: readonly string[];
  /** nginx writes a line there for each answer. */
  readonly accessLog: string;
}

/** TEST-NET-3 (RFC 5737): no client has it. */
const FORGED = '203.0.113.77';

export async function checkAddress(subject: AddressSubject): Promise<readonly Verdict[]> {
  const [plain, forged] = await Promise.all([
    recorded(subject, {}),
    recorded(subject, { 'x-forwarded-for': FORGED, forwarded: `for=${FORGED}`, 'x-real-ip': FORGED }),
  ]);
  if (plain === 'unnamed' || forged === 'unnamed') return []; // The check of answers says why.
  if (plain === undefined || forged === undefined)
    return [
      warn('the address that the gateway records could not be read from its access log', 'See the line of the ledger, then run lictor doctor --deep again.'),
    ];
  const { trusted } = subject;
  if (forged.seen === FORGED) return [forgedWords(isTrusted(forged.own, trusted))];
  if (plain.seen === plain.own) return [];
  if (isTrusted(plain.seen, trusted)) return [fault('address-hidden', `the gateway records ${plain.seen}, a proxy, instead of the client ${plain.own}`)];
  if (trusted.length > 0) return [];
  return [hint('proxy-untrusted', `the gateway records ${plain.seen} for a client that has the address ${plain.own}`)];
}

function forgedWords(fromProxy: boolean): Verdict {
  const what = 'a client can choose the address that the gateway records: X-Forwarded-For of the client counts';
  // With the address of a trusted proxy, this machine cannot show what other clients can do.
  return fromProxy ? hint('address-forged', `${what}, at least from this machine, which trusted_proxies names`) : fault('address-forged', what);
}

function isTrusted(address: string, trusted: readonly string[]): boolean {
  return trusted.length > 0 && isInNetworks(address, trusted);
}

interface Recorded {
  readonly seen: string;
  readonly own: string;
}

async function recorded({ chain, trusted, accessLog }: AddressSubject, headers: Readonly<Record<string, string>>): Promise<Recorded | 'unnamed' | undefined> {
  const localAddress = sourceFor(chain.publicUrl.hostname, trusted);
  const answer = await askAsStranger(chain, apiOnce(), { headers, ...(localAddress !== undefined && { localAddress }) });
  if (!answer.ok) return undefined;
  const id = answer.headers['x-request-id'];
  if (id === undefined) return 'unnamed';
  const seen = await addressInLog(accessLog, id);
  return seen === undefined ? undefined : { seen: unmapped(seen), own: unmapped(answer.localAddress) };
}

/** On loopback, a source that no proxy has, so that clients and proxies differ. */
function sourceFor(hostname: string, trusted: readonly string[]): string | undefined {
  if (!isLoopback(hostname) || hostname.startsWith('[')) return undefined;
  return ['127.0.0.2', '127.9.9.9'].find((address) => !isTrusted(address, trusted));
}

const ATTEMPTS = 30;
const PAUSE_MS = 100;

/** nginx writes the line after its answer. */
async function addressInLog(file: string, requestId: string): Promise<string | undefined> {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    const line = endOf(file)
      .split('\n')
      .find((candidate) => candidate.includes(`"${requestId}"`));
    const entry: unknown = line === undefined ? undefined : parseJson(line);
    if (typeof entry === 'object' && entry !== null && 'addr' in entry) return String(entry.addr);
    await wait(PAUSE_MS);
  }
  return undefined;
}

const TAIL_BYTES = 1024 * 1024;

function endOf(file: string): string {
  try {
    const fd = openSync(file, 'r');
    try {
      const { size } = fstatSync(fd);
      const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
      readSync(fd, buffer, 0, buffer.length, size - buffer.length);
      return buffer.toString('latin1');
    } finally {
      closeSync(fd);
    }
  } catch {
    return ''; // No log: nothing is known about the address.
  }
}
