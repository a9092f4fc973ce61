// All checks of lictor doctor: inside (this machine, the state directory), and outside through public_url.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:tls';
import { askForNodes, askForWorkers } from '../../authorization/decide/ask-control-plane.ts';
import { bundleFile, trustedAuthorities } from '../../config/authorities.ts';
import { readMachine } from '../../config/machine.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { trusts } from '../../identity/authn/access-token/trust.ts';
import { operationsOf } from '../../prefect/catalog/versions.ts';
import { orphanedRuns } from '../../store/orphaned-runs.ts';
import { type DoctorContext, ownTrust } from './context.ts';
import { type Check, type Finding, fail, type Verdict, warn } from './finding.ts';
import { checkBreakGlass } from './inside/break-glass.ts';
import { checkLedger, checkStore } from './inside/databases.ts';
import { checkEvents, subscriberOf } from './inside/events.ts';
import { checkExports } from './inside/exports.ts';
import { checkNginx } from './inside/nginx-version.ts';
import { checkNodes } from './inside/nodes.ts';
import { checkObservation } from './inside/observe.ts';
import { checkProcesses, supervisorPid } from './inside/processes.ts';
import { checkParents, checkTempDir, tempDirInUse } from './inside/reachability.ts';
import { checkCacheMode, checkUnixSockets } from './inside/runtime.ts';
import { checkBounds, checkCacheSpace, checkDisk } from './inside/space.ts';
import { withTagHolders } from './inside/tag-holders.ts';
import { checkTokens } from './inside/tokens.ts';
import { readHeartbeats } from './inside/worker-records.ts';
import { checkWorkerUser } from './inside/worker-user.ts';
import { bypassChecks, upstreamSubjects } from './outside/bypasses.ts';
import { checkChain, checkExpiry, checkFiles, checkName, fetchServed, type Served } from './outside/certificates.ts';
import { checkDirectWorkers } from './outside/direct-workers.ts';
import { baseOf, checkHealth, checkReady, checkRefusal, checkUiSettings, type Door } from './outside/door.ts';
import { checkForwardProxy } from './outside/forward-proxy.ts';
import { checkGuardedTags } from './outside/guarded-tags.ts';
import { probe } from './outside/http-probe.ts';
import { identityCheck, outboundOfDoctor } from './outside/identity.ts';
import { checkLostRuns } from './outside/lost-runs.ts';
import { addressesOf } from './outside/other-addresses.ts';
import { checkOwnAuthority } from './outside/own-authority.ts';
import { checkServiceDoor } from './outside/service-door.ts';
import { checkServiceWays } from './outside/service-ways.ts';
import { checkServices } from './outside/services.ts';
import { checkSocket, SOCKET_PATHS } from './outside/sockets.ts';
import { authoritiesOf } from './outside/trust.ts';
import { checkCredential, checkHoles, checkRoutes, checkUiTarget } from './outside/upstream.ts';
import { inOrder, runChecks } from './run-checks.ts';

/**
 * Never rejects, changes nothing. Quick checks run at once. The checks of routes and sockets run later, one group after the other, because they load Prefect
 * (its OpenAPI document, ten sockets) and would delay the others.
 */
export async function examine(context: DoctorContext): Promise<readonly Finding[]> {
  const running = isRunning(context.paths);
  const light = [
    ...machineChecks(context),
    ...edgeChecks(context, running),
    ...(running ? doorChecks(context) : []),
    ...upstreamChecks(context),
    ...serviceChecks(context),
    ...identityChecks(context),
    ...(running ? [...nodeCheck(context), ...workerChecks(context), eventCheck(context)] : []),
  ];
  const quick = await runChecks([...light, ...certificateChecks(context, running)]);
  const routes = await runChecks(routeChecks(context));
  const sockets = await runChecks(running ? socketChecks(context) : []);
  return inOrder([...quick, ...routes, ...sockets, ...(await examineDeeply(context, running))]);
}

/** Loaded only when needed. A person needs more time to log in than a check gets. */
async function examineDeeply(context: DoctorContext, running: boolean): Promise<readonly Finding[]> {
  if (!context.deep) return [];
  const { deepChecks, loginChecks } = await import('./deep/deep.ts');
  const found = await runChecks(deepChecks(context, running));
  return [...found, ...(await runChecks(loginChecks(context), LOGIN_LIMIT_MS))];
}

const LOGIN_LIMIT_MS = 600_000;

export function isRunning(paths: StatePaths): boolean {
  return supervisorPid(paths) !== undefined;
}

function machineChecks({ config, paths, workerUser, env, clock, statfs, run }: DoctorContext): readonly Check[] {
  return [
    { group: 'machine', name: 'nginx', run: () => checkNginx(env, run) },
    { group: 'machine', name: 'open-files', run: () => checkBounds(readMachine(supervisorPid(paths) ?? 'self')) },
    ...stateDirChecks({ paths, workerUser, statfs }),
    { group: 'machine', name: 'worker-user', run: () => checkWorkerUser(workerUser) },
    { group: 'machine', name: 'store', run: () => checkStore(config.storeAt) },
    { group: 'machine', name: 'break-glass', run: () => checkBreakGlass(config.storeAt, clock()) },
    { group: 'machine', name: 'observe-mode', run: () => checkObservation(config, clock()) },
    { group: 'machine', name: 'tokens', run: () => checkTokens(config.storeAt, clock()) },
    { group: 'machine', name: 'ledger', run: () => checkLedger(paths, clock()) },
    { group: 'machine', name: 'exports', run: () => checkExports(config, paths, clock()) },
  ];
}

function stateDirChecks({ paths, workerUser, statfs }: Pick<DoctorContext, 'paths' | 'workerUser' | 'statfs'>): readonly Check[] {
  const { root } = paths;
  if (!existsSync(root))
    return [
      { group: 'machine', name: 'state-dir', run: () => warn(`there is no state directory ${root} yet`, 'lictor up creates it. Or give another --state-dir.') },
    ];
  return [
    { group: 'machine', name: 'disk-space', run: () => checkDisk(root, statfs) },
    { group: 'machine', name: 'state-dir-parents', run: () => checkParents(root, workerUser, tempDirInUse(paths)) },
  ];
}

function edgeChecks({ config, paths, workerUser, statfs }: DoctorContext, running: boolean): readonly Check[] {
  const processes: Check = { group: 'edge', name: 'processes', run: () => checkProcesses(paths) };
  if (!running) return [processes];
  return [
    processes,
    { group: 'edge', name: 'unix-sockets', run: () => checkUnixSockets(paths, workerUser, config.services) },
    { group: 'edge', name: 'decision-cache', run: () => [checkCacheMode(paths.decisionCache, workerUser), checkCacheSpace(paths.decisionCache, statfs)] },
    { group: 'edge', name: 'temp-dir', run: () => checkTempDir(tempDirInUse(paths), workerUser) },
  ];
}

function nodeCheck({ config: { storeAt, node }, paths }: DoctorContext): readonly Check[] {
  if (typeof storeAt === 'string') return [];
  return [{ group: 'machine', name: 'nodes', run: async () => checkNodes(await askForNodes(paths.adminSocket), node) }];
}

function doorChecks(context: DoctorContext): readonly Check[] {
  const door: Door = { publicUrl: context.config.publicUrl, probe: context.own.probe };
  const { token } = context;
  const authorised = typeof token === 'object' ? { headers: { 'x-lictor-token': token.secret }, tls: ownTrust(context) } : null;
  const settings: Check[] = authorised === null ? [] : [{ group: 'public-url', name: 'ui-settings', run: () => checkUiSettings(door, authorised) }];
  return [
    { group: 'public-url', name: 'health', run: () => checkHealth(door) },
    { group: 'public-url', name: 'ready', run: () => checkReady(door) },
    { group: 'public-url', name: 'refusal', run: () => checkRefusal(door) },
    ...settings,
    { group: 'public-url', name: 'services', run: () => checkServiceDoor(door, context.config.services, authorised) },
    ...forwardCheck(context),
  ];
}

function serviceChecks({ config }: DoctorContext): readonly Check[] {
  const ways = { addresses: addressesOf(), probe };
  return [
    { group: 'upstream', name: 'services', run: () => checkServices(config) },
    { group: 'upstream', name: 'service-ways', run: () => checkServiceWays(config, ways) },
  ];
}

function forwardCheck({ config: { forwardProxy }, token }: DoctorContext): readonly Check[] {
  if (forwardProxy === null) return [];
  const subject = { listen: forwardProxy.listen, token: typeof token === 'object' ? token.secret : null };
  return [{ group: 'public-url', name: 'forward-proxy', run: () => checkForwardProxy(subject) }];
}

function socketChecks(context: DoctorContext): readonly Check[] {
  const { token, config } = context;
  if (typeof token !== 'object') {
    const why = token ?? 'there is no token';
    return [
      {
        group: 'sockets',
        name: 'token',
        run: () => fail(`the sockets could not be checked: ${why}`, 'Run lictor doctor as the user of the gateway, and fix the store and the ledger first.'),
      },
    ];
  }
  const subject = { base: baseOf(config.publicUrl), token: token.secret, tls: ownTrust(context), attempt: context.own.attempt };
  return SOCKET_PATHS.map(
    (path): Check => ({ group: 'sockets', name: path.replace('/api/', '').replace('/lictor-doctor', ''), run: () => checkSocket(subject, path) }),
  );
}

function routeChecks(context: DoctorContext): readonly Check[] {
  if (!context.secretsKnown) return [];
  return upstreamSubjects(context).map((subject): Check => ({ group: 'upstream', name: 'routes', run: () => checkRoutes(subject, operationsOf) }));
}

function upstreamChecks(context: DoctorContext): readonly Check[] {
  const { config, secretsKnown } = context;
  return upstreamSubjects(context).flatMap((subject): Check[] => {
    const bypasses = bypassChecks(subject);
    if (!secretsKnown) return [...bypasses];
    return [
      { group: 'upstream', name: 'credential', run: () => checkCredential(subject) },
      { group: 'upstream', name: 'virtual-patches', run: () => checkHoles(subject) },
      ...bypasses,
      { group: 'upstream', name: 'ui-settings', run: () => checkUiTarget(subject, config.publicUrl) },
    ];
  });
}

function workerChecks(context: DoctorContext): readonly Check[] {
  const { config, secretsKnown, paths, clock } = context;
  if (!secretsKnown) return [];
  const seen = async () => {
    const channels = await askForWorkers(paths.adminSocket);
    return Array.isArray(channels) ? { channels, heartbeats: await readHeartbeats(paths.ledgerFile, clock()) } : undefined;
  };
  const subjects = upstreamSubjects(context);
  return [
    { group: 'upstream', name: 'direct-workers', run: () => checkDirectWorkers(subjects, seen, `${baseOf(config.publicUrl)}/api`) },
    { group: 'upstream', name: 'guarded-tags', run: async () => (await withTagHolders(config, (holders) => checkGuardedTags(subjects, holders))) ?? [] },
    {
      group: 'upstream',
      name: 'lost-runs',
      run: async () => checkLostRuns(subjects, await orphanedRuns(config.storeAt, trusts(config.identityProviders), clock())),
    },
  ];
}

function eventCheck({ config, paths: { ledgerFile }, clock, onProgress }: DoctorContext): Check {
  return { group: 'upstream', name: 'events', run: async () => checkEvents({ ledgerFile, clock, subscriber: await subscriberOf(config), onProgress }) };
}

function identityChecks({ config, clock }: DoctorContext): readonly Check[] {
  return config.identityProviders.flatMap((provider): Check[] => {
    const run = identityCheck({ provider, outboundFor: outboundOfDoctor, clock });
    return run === undefined ? [] : [{ group: 'identity', name: provider.id, run }];
  });
}

function certificateChecks(context: DoctorContext, running: boolean): readonly Check[] {
  const { config, env, clock, paths } = context;
  const { publicUrl, tls } = config;
  if (!publicUrl.secure) return [];
  const served = running ? fetchServed({ ...publicUrl, authorities: clientAuthorities(context) }) : servedFromFiles(context);
  served.catch(() => undefined); // Each check that awaits it reports the error.
  const checks: Check[] = [
    { group: 'certificates', name: 'expiry', run: async () => checkExpiry((await served).certificate, clock()) },
    { group: 'certificates', name: 'name', run: async () => checkName((await served).certificate, publicUrl.hostname) },
    { group: 'certificates', name: 'chain', run: async () => checkChain((await served).chainProblem, tls?.selfMadeBy ?? bundleFile(env)) },
  ];
  if (tls === null) return checks;
  const crlFile = tls.client?.crlFile ?? null;
  if (crlFile !== null) checks.push({ group: 'certificates', name: 'client-crl', run: () => checkClientLists(crlFile, clock()) });
  if (tls.selfMadeBy !== null) checks.push({ group: 'certificates', name: 'authority', run: () => checkOwnAuthority(paths.ownCertificate, clock()) });
  return [...checks, { group: 'certificates', name: 'key', run: async () => checkFiles(tls, (await served.catch(() => undefined))?.certificate) }];
}

/** Loads the X.509 library only when needed. */
async function checkClientLists(crlFile: string, nowMs: number): Promise<Verdict> {
  const { checkRevocationLists } = await import('./outside/revocation-lists.ts');
  return checkRevocationLists(crlFile, nowMs);
}

/** The authorities of a client that has the gateway's own one. */
function clientAuthorities({ config, env }: DoctorContext): readonly string[] {
  const own = config.tls?.selfMadeBy ?? null;
  return own === null ? trustedAuthorities(env) : authoritiesOf(own);
}

/** Serves the files on loopback for a moment, so that the handshake is that of a client. */
async function servedFromFiles(context: DoctorContext): Promise<Served> {
  const { tls } = context.config;
  if (tls === null) throw new Error('the gateway does not run, and it has no certificate of its own');
  const certificate = new X509Certificate(readFileSync(tls.certFile));
  if (!certificate.checkPrivateKey(createPrivateKey(readFileSync(tls.keyFile)))) return { certificate, chainProblem: undefined };
  const server = createServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    return await fetchServed({ hostname: '127.0.0.1', port, authorities: clientAuthorities(context) });
  } finally {
    server.close();
  }
}
