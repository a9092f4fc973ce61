// metrics and forward_proxy: the listeners of the control plane.
import { BlockList, isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readPattern } from '../../contract/destination.ts';
import type { ForwardProxy, ListenAddress, MetricsListen } from '../config.ts';
import { reject, says } from '../schema/issues.ts';
import { hostPort, text, unixSocket } from '../schema/scalars.ts';
import type { Context } from './context.ts';
import { isLoopback, splitHostPort } from './public-url.ts';

export function metricsSection({ baseDir }: Pick<Context, 'baseDir'>) {
  const listen = z.union([hostPort, unixSocket]).transform((written, issues): MetricsListen => {
    if (written.startsWith('unix:')) return { path: resolve(baseDir, written.slice('unix:'.length)) };
    const { host, port } = splitHostPort(written);
    if (isLoopback(host) && port <= 65_535) return { host: host.replace(/^\[|\]$/g, ''), port };
    return reject(issues, {
      message: port > 65_535 ? 'has a port above 65535' : 'is not on loopback: metrics have no login',
      remedy: 'Write 127.0.0.1:9464, or unix:/run/lictor/metrics.sock; let a Prometheus elsewhere come through a proxy of your own.',
    });
  });
  return z
    .strictObject({ listen: listen.describe('HOST:PORT on loopback, or unix:PATH.') })
    .optional()
    .transform((wire) => wire?.listen ?? null)
    .describe('Numbers for Prometheus, at /metrics (docs/how-to/metrics.md).');
}

export function forwardProxySection({ listen, metricsListen }: Pick<Context, 'listen' | 'metricsListen'>) {
  const isTaken = (port: number): boolean => listen.some((own) => own.port === port) || metricsListen?.endsWith(`:${port}`) === true;
  return z
    .strictObject({
      listen: inside
        .refine(({ port }) => !isTaken(port), says('is a port that the gateway listens on already', 'Give it a port of its own: 127.0.0.1:8201.'))
        .describe('An address of this machine, on loopback or in a private network, and a port: 127.0.0.1:8201.'),
      allow: z.array(hostPattern).describe('Hosts that may be reached, by name; *. at the beginning stands for all below.'),
    })
    .optional()
    .transform((wire): ForwardProxy | null => (wire === undefined ? null : { listen: wire.listen, allow: [...new Set(wire.allow)] }))
    .describe('A proxy for tasks that know no addresses of services (HTTPS_PROXY).');
}

/** A host name, or `*.` and one: all below it. */
export const hostPattern = text.transform((written, issues) => {
  const pattern = readPattern(written);
  if (pattern !== undefined) return pattern;
  return reject(issues, {
    message: 'is no host name of several parts',
    remedy: 'Write api.example.com, or *.example.com for all below it; names of other letters in their xn-- form. Addresses and ports cannot be allowed.',
  });
});

/** Clients send the credential in clear: it may not cross a network that strangers see. */
const inside = hostPort.transform((written, issues): ListenAddress => {
  const { host: name, port } = splitHostPort(written);
  const address = name === 'localhost' ? '127.0.0.1' : name.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  if (family !== 0 && port <= 65_535 && privateNetworks().check(address, family === 6 ? 'ipv6' : 'ipv4')) return { host: address, port };
  return reject(issues, {
    message: port > 65_535 ? 'has a port above 65535' : 'is not an address on loopback or in a private network: clients send their tokens to it in clear',
    remedy: 'Write 127.0.0.1:8201, or the address of this machine in the network of the workers: 10.1.0.5:8201.',
  });
});

function privateNetworks(): BlockList {
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
