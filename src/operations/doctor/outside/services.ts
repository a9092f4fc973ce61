// Services that tasks call: whether each server accepts a connection from here, with a valid certificate.
import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import type { Config } from '../../../config/config.ts';
import type { Service } from '../../../config/service.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

const TIMEOUT_MS = 2_000;

/** One verdict for each service. Sends no request: doctor does not know the meaning of a path. */
export function checkServices({ services }: Pick<Config, 'services'>): Promise<readonly Verdict[]> {
  return Promise.all(services.map(checkService));
}

async function checkService(service: Service): Promise<Verdict> {
  const { name, servers } = service;
  const problems = await Promise.all(servers.map(async ({ origin }) => ({ origin, problem: await problemOf(service, origin) })));
  const away = problems.filter(({ problem }) => problem !== undefined);
  if (away.length === 0) return ok(`the service ${name} accepts connections (${servers.length} of ${servers.length} servers)`);
  const what = `the service ${name}: ${away.map(({ origin, problem }) => `${origin} (${problem})`).join(', ')} of ${servers.length} servers`;
  if (away.length < servers.length)
    return warn(`${what} cannot be reached`, 'Calls go to the other servers meanwhile. Start it, or remove it from services[].servers.');
  return fail(`${what} cannot be reached: its callers get 503`, 'Start it, or fix servers and tls of the service in lictor.yaml.');
}

/** Undefined: no problem. */
function problemOf(service: Service, origin: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { socket, ready } = open(service, new URL(origin));
    const end = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(TIMEOUT_MS, () => end('no answer in time'));
    socket.once('error', (error) => end('code' in error ? String(error.code) : 'no connection'));
    socket.once(ready, () => end(undefined));
  });
}

function open({ caFile, certificate }: Service, { protocol, hostname, port }: URL): { readonly socket: Socket; readonly ready: string } {
  const host = hostname.replace(/^\[|\]$/g, '');
  const secure = protocol === 'https:';
  const at = { host, port: Number(port === '' ? (secure ? 443 : 80) : port) };
  if (!secure) return { socket: connect(at), ready: 'connect' };
  const own = certificate === null ? {} : { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) };
  return {
    socket: connectSecurely({ ...at, ...(isIP(host) === 0 && { servername: host }), ...(caFile !== null && { ca: readFileSync(caFile) }), ...own }),
    ready: 'secureConnect',
  };
}
