// Prefect on this machine at other addresses than loopback: there, clients can bypass the gateway.
import { isIP } from 'node:net';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { isLoopback } from '../../../config/sections/public-url.ts';
import { ok, type Verdict, warn } from '../finding.ts';
import { isHtml, jsonField, type ProbeAnswer, parseJson } from './http-probe.ts';
import type { UpstreamSubject } from './upstream.ts';

/** Addresses for others: neither loopback nor link-local. */
export function addressesOf(interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>> = networkInterfaces()): readonly string[] {
  return Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address }) => address);
}

/** The origin of a URL of this machine, at its other addresses. */
export function originsAt(url: string, addresses: readonly string[]): readonly string[] {
  const { protocol, port } = new URL(url);
  return addresses.map((address) => `${protocol}//${isIP(address) === 6 ? `[${address}]` : address}${port === '' ? '' : `:${port}`}`);
}

/** Empty where Prefect is elsewhere, or this machine has no other address. Sends no credential: an answer is enough. */
export async function checkOtherAddresses({ url, probe }: Pick<UpstreamSubject, 'url' | 'probe'>, addresses: readonly string[]): Promise<readonly Verdict[]> {
  if (!isLoopback(new URL(url).hostname) || addresses.length === 0) return [];
  const candidates = originsAt(url, addresses);
  const answers = await Promise.all(candidates.map((candidate) => probe({ url: `${candidate}/api/admin/version` })));
  const open = candidates.filter((_, index) => {
    const answer = answers[index];
    return answer?.ok === true && isPrefect(answer);
  });
  if (open.length === 0) return [ok(`Prefect answers at no other address of this machine than ${url}`)];
  return [
    warn(
      `Prefect also answers at ${open.join(' and ')}: there, a client with its auth string can bypass the gateway`,
      'Start Prefect with --host 127.0.0.1 (a container: publish it as 127.0.0.1:PORT:4200), or close the port to others: docs/how-to/existing-server.md.',
    ),
  ];
}

/** Prefect's version, or its rejection of a request without auth string. */
export function isPrefect(answer: ProbeAnswer): boolean {
  if (isHtml(answer)) return false;
  if (answer.status === 401) return jsonField(answer.body, 'exception_message') !== undefined;
  return answer.status === 200 && typeof parseJson(answer.body) === 'string';
}
