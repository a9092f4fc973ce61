// Ways past the gateway to a service, as far as this machine sees them: other addresses, and a server that requires no certificate.
import { connect, isIP } from 'node:net';
import type { Config } from '../../../config/config.ts';
import { isLoopback } from '../../../config/sections/public-url.ts';
import type { Service } from '../../../config/service.ts';
import { type Verdict, warn } from '../finding.ts';
import type { Probe, ProbeRequest } from './http-probe.ts';

export interface WaysParts {
  /** The addresses at which others reach this machine. */
  readonly addresses: readonly string[];
  readonly probe: (request: ProbeRequest) => Promise<Probe>;
}

const TIMEOUT_MS = 2_000;

/** Only hints: doctor does not know the port's owner or the meaning of a path. It requests only the health path. */
export async function checkServiceWays({ services }: Pick<Config, 'services'>, parts: WaysParts): Promise<readonly Verdict[]> {
  const ways = services.flatMap((service) =>
    service.servers.map(({ origin }) => Promise.all([elsewhere(service, origin, parts), bare(service, origin, parts)])),
  );
  return (await Promise.all(ways)).flat().filter((verdict) => verdict !== undefined);
}

/** For a server on this machine's loopback. */
async function elsewhere({ name }: Service, origin: string, { addresses }: WaysParts): Promise<Verdict | undefined> {
  const { hostname, port, protocol } = new URL(origin);
  if (!isLoopback(hostname)) return undefined;
  const number = Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port);
  const answers = await Promise.all(addresses.map((address) => takesConnections(address, number)));
  const open = addresses
    .filter((_, index) => answers[index] === true)
    .map((address) => (isIP(address) === 6 ? `[${address}]:${number}` : `${address}:${number}`));
  if (open.length === 0) return undefined;
  return warn(
    `the service ${name} at ${origin} also accepts connections at ${open.join(' and ')}: there, tasks can bypass the gateway`,
    'Let the service listen only on loopback, or close its port to others: docs/how-to/services.md.',
  );
}

/** For a server to which the gateway presents a certificate. Needs a health path. */
async function bare({ name, certificate, health }: Service, origin: string, { probe }: WaysParts): Promise<Verdict | undefined> {
  if (certificate === null || health === null) return undefined;
  const answer = await probe({ url: `${origin}${health.path}` });
  if (!answer.ok || answer.status >= 400) return undefined;
  return warn(
    `the service ${name} answers at ${origin} without the gateway's certificate: clients that reach it can bypass the gateway`,
    'Require client certificates there, or close its port to all but the gateway: docs/how-to/services.md.',
  );
}

function takesConnections(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once('error', () => end(false));
    socket.once('connect', () => end(true));
  });
}
