// services: what tasks may call, where it is, and with which credentials the gateway goes there.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Keys, Report } from '../report.ts';
import { reporter, withoutDuplicates } from '../schema/issues.ts';
import { serviceShape, type WireService } from '../schema/services.ts';
import type { Service, ServiceServer } from '../service.ts';
import type { Context } from './context.ts';
import { checkNginxPath } from './nginx-path.ts';
import { readPemFile } from './pem-file.ts';
import { isLoopback, parsePlainUrl } from './public-url.ts';
import { readSecretFile } from './secret-file.ts';
import { readServiceCache } from './service-cache.ts';
import { readRoutes } from './service-routes.ts';
import { readSockets } from './service-sockets.ts';

interface Place extends Pick<Context, 'listen' | 'prefectServers' | 'baseDir' | 'secrets'> {
  readonly keys: Keys;
  readonly report: Report;
}

/** An ID token names a client as its audience, and is signed with the same keys as what services receive. */
const CLIENT_IDS: readonly string[] = ['lictor-cli'];

export function servicesSection(context: Context) {
  const read = serviceShape(context).transform((wire, issues): Service => {
    const report = reporter(issues);
    if (CLIENT_IDS.includes(wire.name)) report(['name'], 'is the name of a client of the gateway', 'Take another name.');
    return readService(wire, { ...context, keys: [], report }) ?? z.NEVER;
  });
  return z
    .array(read)
    .superRefine(...withoutDuplicates('name', () => ['is the name of another service', 'Give each a name of its own.'], ['name']))
    .prefault([])
    .describe('What tasks may call through the gateway (docs/how-to/services.md).');
}

function readService(wire: WireService, place: Place): Service | undefined {
  const { keys, report } = place;
  const addresses = readServers(wire, place);
  const caFile = readAuthorities(wire, place);
  const certificate = readCertificate(wire, place);
  const routes = readRoutes(wire.allow, keys, report);
  if (addresses === undefined || caFile === undefined || certificate === undefined) return undefined;
  const cache = readServiceCache(wire.cache, [...keys, 'cache'], report);
  return {
    name: wire.name,
    ...addresses,
    balance: readBalance(wire, place),
    routes,
    caFile,
    certificate,
    injected: wire.inject ?? null,
    timeoutSeconds: Math.ceil(wire.timeout),
    forwardHeaders: wire.forward_headers,
    limit: wire.limit ?? null,
    sockets: readSockets(wire, keys, report),
    cache,
    health: wire.health ?? null,
    retries: wire.retries ?? null,
  };
}

function readServers(wire: WireService, place: Place): Pick<Service, 'servers' | 'path'> | undefined {
  const { keys, report } = place;
  const read = wire.servers.map((one, index) => {
    const { url, weight = 1, backup = false } = typeof one === 'string' ? { url: one } : one;
    const at = [...keys, 'servers', index, ...(typeof one === 'string' ? [] : ['url'])];
    const parts = readAddress(url, at, place);
    return parts === undefined ? undefined : { ...parts, weight, backup };
  });
  const servers = read.filter((one) => one !== undefined);
  const [first, ...others] = servers;
  if (first === undefined || servers.length < read.length) return undefined;
  const differs = (what: string, remedy: string): undefined => void report([...keys, 'servers'], what, remedy);
  if (new Set(servers.map(({ origin }) => origin)).size < servers.length) return differs('names a server twice', 'Name each once, and give it a weight.');
  if (others.some(({ path }) => path !== first.path)) return differs('has different paths', 'Give all the same path, or make two services of them.');
  if (others.some(({ secure }) => secure !== first.secure)) return differs('has http and https', 'Let all speak the same.');
  if (first.secure && wire.health === undefined && others.some(({ hostname }) => hostname !== first.hostname))
    return differs('has https servers with different host names', 'Give them one name, against which their certificates are held, or add health.');
  if (servers.every(({ backup }) => backup)) return differs('has no server but backups', 'Leave backup out for at least one.');
  return { servers: servers.map(({ origin, weight, backup }): ServiceServer => ({ origin, weight, backup })), path: first.path };
}

function readAddress(url: string, keys: Keys, { listen, prefectServers, report }: Place) {
  const parts = parsePlainUrl(url);
  const path = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$/;
  if (parts === undefined || !path.test(parts.path) || url.replace(/^https?:\/\/[^/]*/, '').replace(/\/+$/, '') !== parts.path)
    report(keys, 'must be scheme, host, maybe a port and a plain path, and nothing else', 'Write it as http://10.1.0.1:8080; credentials go to inject.');
  else if (prefectServers.includes(parts.origin))
    report(keys, 'is the Prefect server, which has its own way through the gateway', 'Remove it: flows reach Prefect by PREFECT_API_URL.');
  else if (listen.some(({ port }) => port === parts.port) && isLoopback(parts.hostname))
    report(keys, 'is where the gateway itself listens', 'Name the service itself.');
  else return parts;
  return undefined;
}

/** What nginx chooses by hash has no place for servers that wait: neither backups, nor the gateway's own that is asked when all are out. */
function readBalance({ balance, health, servers, retries, inject }: WireService, { keys, report }: Place): Service['balance'] {
  if (balance !== 'hash_by_run') return balance;
  if (servers.some((one) => typeof one !== 'string' && one.backup === true))
    report([...keys, 'balance'], 'stands beside a backup server', 'Remove backup: the runs of a server that is away go to the others.');
  if (health !== undefined && servers.length > 1)
    report([...keys, 'balance'], 'stands beside health', 'Remove one of them: a server that takes no connection is left out without health too.');
  if (retries !== undefined)
    report([...keys, 'balance'], 'stands beside retries', 'Remove one of them: a call that breaks off is made again without retries too.');
  if (inject !== undefined && ('query' in inject || 'sigv4' in inject))
    report([...keys, 'balance'], 'stands beside a credential that goes through the control plane', 'Remove it, or take another balance.');
  return balance;
}

function isSecure({ servers }: WireService): boolean {
  return servers.some((one) => (typeof one === 'string' ? one : one.url).startsWith('https:'));
}

/** Null: the system's. Undefined: reported. */
function readAuthorities(wire: WireService, { keys, baseDir, report }: Place): string | null | undefined {
  if (wire.tls !== undefined && !isSecure(wire))
    return void report([...keys, 'tls'], 'is set, though no server is https', 'Write https:// in the addresses, or remove it.');
  if (wire.tls?.ca_file === undefined) return null;
  const at = [...keys, 'tls', 'ca_file'];
  const file = resolve(baseDir, wire.tls.ca_file);
  if (!checkNginxPath(file, at, report)) return undefined;
  if (readPemFile(file) !== null) return file;
  return void report(at, `${file} cannot be read as PEM certificates`, "Give the certificates of the authorities that signed the servers' own, as PEM.");
}

/** Null: none is shown. Undefined: reported. */
function readCertificate(wire: WireService, { keys, baseDir, secrets, report }: Place): Service['certificate'] | undefined {
  const { cert, key } = wire.tls ?? {};
  if (cert === undefined && key === undefined) return null;
  const at = [...keys, 'tls', cert === undefined ? 'cert' : 'key'];
  if (cert === undefined || key === undefined) return void report(at, 'is missing', 'Give tls.cert and tls.key, or neither.');
  const files = { certFile: resolve(baseDir, cert), keyFile: resolve(baseDir, key) };
  if (!checkNginxPath(files.certFile, [...keys, 'tls', 'cert'], report) || !checkNginxPath(files.keyFile, at, report)) return undefined;
  if (secrets === 'skip') return files;
  const pem = readSecretFile(files.keyFile, at, report);
  if (pem === undefined) return undefined;
  try {
    if (new X509Certificate(readFileSync(files.certFile)).checkPrivateKey(createPrivateKey(pem))) return files;
    return void report(at, 'does not belong to tls.cert', 'Give the key that the certificate was made for.');
  } catch {
    return void report([...keys, 'tls', 'cert'], 'cannot be read with its key', 'Give both as PEM, the key without a passphrase.');
  }
}
