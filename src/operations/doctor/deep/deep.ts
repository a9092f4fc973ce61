// The checks of `lictor doctor --deep`: the whole way of a request, certificates as clients see them, providers, files, further Prefect servers.
import { statSync } from 'node:fs';
import { bundleFile } from '../../../config/authorities.ts';
import type { OidcProvider } from '../../../config/config.ts';
import type { Outbound } from '../../../identity/authn/outbound.ts';
import { type DoctorContext, ownTrust } from '../context.ts';
import type { Check } from '../finding.ts';
import { supervisorPid } from '../inside/processes.ts';
import { probe } from '../outside/http-probe.ts';
import { outboundOfDoctor } from '../outside/identity.ts';
import { checkBackDoors, openPorts } from './back-doors.ts';
import { checkNameAddresses, lookupAll } from './certificates/addresses.ts';
import { checkAsPython } from './certificates/check-python.ts';
import { plainUrlOf, returnPathIn } from './chain/browser.ts';
import { chainChecks } from './chain/checks.ts';
import { type ClientSubject, checkGroups, checkOidcClient, checkTestLogin } from './identity.ts';
import { checkDescriptors, checkInodes, descriptorsOf } from './resources.ts';
import { checkStateFiles } from './state-files.ts';

export function deepChecks(context: DoctorContext, running: boolean): readonly Check[] {
  return [
    ...machineChecks(context),
    ...(running ? throughProxies(context) : []),
    ...backDoorCheck(context),
    ...identityChecks(context),
    ...certificateChecks(context, running),
  ];
}

function machineChecks({ paths, workerUser }: DoctorContext): readonly Check[] {
  const pid = supervisorPid(paths);
  const stats = statSync(paths.root, { throwIfNoEntry: false });
  if (stats === undefined) return [];
  const owners = [stats.uid, workerUser?.uid ?? stats.uid];
  return [
    { group: 'machine', name: 'state-files', run: () => checkStateFiles(paths, owners) },
    { group: 'machine', name: 'inodes', run: () => checkInodes(paths.root) },
    ...(pid === undefined ? [] : [{ group: 'machine', name: 'descriptors', run: () => checkDescriptors(descriptorsOf(pid)) } as const]),
  ];
}

function throughProxies(context: DoctorContext): readonly Check[] {
  const { config, token, paths, own } = context;
  const { publicUrl } = config;
  return chainChecks({
    chain: { publicUrl, probe: own.probe, token: typeof token === 'object' ? token.secret : null, tls: ownTrust(context) },
    trusted: config.proxies.trusted,
    accessLog: paths.accessLog,
    returnTo: returnPathIn(config.storeAt),
    attempt: own.attempt,
    plainUrl: plainUrlOf(publicUrl),
  });
}

function backDoorCheck({ config: { listen, prefect } }: DoctorContext): readonly Check[] {
  const except = [...listen.map(({ port }) => port), ...prefect.servers.map((url) => Number(new URL(url).port))];
  return [{ group: 'upstream', name: 'other-servers', run: () => checkBackDoors({ ports: openPorts(), except, probe }) }];
}

function identityChecks(context: DoctorContext): readonly Check[] {
  const { config } = context;
  return config.identityProviders.flatMap((provider): Check[] => {
    const groups: Check = { group: 'identity', name: provider.id, run: () => checkGroups(provider.id, config) };
    if (provider.type === 'saml') return [groups];
    if (provider.type !== 'oidc') return [];
    return [{ group: 'identity', name: provider.id, run: () => withClient(context, provider, checkOidcClient) }, groups];
  });
}

/** A person logs in at each provider, one after the other. */
export function loginChecks(context: DoctorContext): readonly Check[] {
  const { config, onLogin } = context;
  if (onLogin === null) return [];
  const providers = config.identityProviders.filter((provider) => provider.type === 'oidc');
  return providers.map((provider) => ({
    group: 'identity',
    name: provider.id,
    run: () => withClient(context, provider, (subject) => checkTestLogin(subject, config, onLogin)),
  }));
}

async function withClient<T>({ config }: DoctorContext, provider: OidcProvider, work: (subject: ClientSubject) => Promise<T>): Promise<T> {
  const outbound: Outbound = outboundOfDoctor(provider.caFile);
  const { origin, basePath } = config.publicUrl;
  try {
    return await work({ provider, outbound, callbackUrl: `${origin}${basePath}/.lictor/callback/${provider.id}` });
  } finally {
    await outbound.close();
  }
}

function certificateChecks({ config, env, run, clock }: DoctorContext, running: boolean): readonly Check[] {
  const { publicUrl, tls } = config;
  const addresses: Check = { group: 'certificates', name: 'addresses', run: () => checkNameAddresses(publicUrl, lookupAll) };
  if (!running) return [];
  if (!publicUrl.secure) return [addresses];
  const subject = { publicUrl, run, bundle: tls?.selfMadeBy ?? bundleFile(env) ?? null, certFile: tls?.certFile ?? null, nowMs: clock() };
  return [{ group: 'certificates', name: 'python', run: () => checkAsPython(subject) }, addresses];
}
