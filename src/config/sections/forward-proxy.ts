// forward_proxy: where it listens, and which hosts may be reached through it.
import { BlockList, isIP } from 'node:net';
import { readPattern } from '../../contract/destination.ts';
import type { ForwardProxy, ListenAddress } from '../config.ts';
import type { Report } from '../report.ts';
import type { WireSections } from '../schema/index.ts';

export interface ForwardProxySection {
  readonly wire: WireSections['forward_proxy'];
  /** The gateway's own. */
  readonly listen: readonly ListenAddress[];
  /** As it is written; undefined: none. */
  readonly metrics: string | undefined;
}

/** Null: none, or reported. */
export function readForwardProxy({ wire, listen, metrics }: ForwardProxySection, report: Report): ForwardProxy | null {
  if (wire === undefined) return null;
  const allow = wire.allow.flatMap((text, index) => {
    const pattern = readPattern(text);
    if (pattern !== undefined) return [pattern];
    report(
      ['forward_proxy', 'allow', index],
      'is no host name of several parts',
      'Write api.example.com, or *.example.com for all below it; names of other letters in their xn-- form. Addresses and ports cannot be allowed.',
    );
    return [];
  });
  const address = readListen(wire.listen, report);
  if (address === undefined) return null;
  const port = `:${address.port}`;
  if (listen.some((own) => own.port === address.port) || metrics?.endsWith(port) === true)
    report(['forward_proxy', 'listen'], 'is a port that the gateway listens on already', 'Give it a port of its own: 127.0.0.1:8201.');
  return { listen: address, allow: [...new Set(allow)] };
}

/** Clients send the credential in clear: it may not cross a network that strangers see. */
function readListen(text: string, report: Report): ListenAddress | undefined {
  const at = text.lastIndexOf(':');
  const name = text.slice(0, at).toLowerCase();
  const host = name === 'localhost' ? '127.0.0.1' : name.replace(/^\[|\]$/g, '');
  const port = Number(text.slice(at + 1));
  const family = isIP(host);
  const isInside = family !== 0 && inside().check(host, family === 6 ? 'ipv6' : 'ipv4');
  if (isInside && port <= 65_535) return { host, port };
  return void report(
    ['forward_proxy', 'listen'],
    port > 65_535 ? 'has a port above 65535' : 'is not an address on loopback or in a private network: clients send their tokens to it in clear',
    'Write 127.0.0.1:8201, or the address of this machine in the network of the workers: 10.1.0.5:8201.',
  );
}

function inside(): BlockList {
  const list = new BlockList();
  for (const [address, bits] of [
    ['127.0.0.0', 8],
    ['10.0.0.0', 8],
    ['172.16.0.0', 12],
    ['192.168.0.0', 16],
  ] as const)
    list.addSubnet(address, bits, 'ipv4');
  list.addAddress('::1', 'ipv6');
  list.addSubnet('fc00::', 7, 'ipv6');
  return list;
}
