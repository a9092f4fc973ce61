// Validated sections -> Config, with the checks that look at more than one value.
import { resolve } from 'node:path';
import type { Config } from './config.ts';
import { parseDurationSeconds } from './duration.ts';
import type { ProblemList } from './report.ts';
import type { WireSections } from './schema/index.ts';
import { readExports } from './sections/exports.ts';
import { readForwardProxy } from './sections/forward-proxy.ts';
import { readLimits } from './sections/limits.ts';
import { readRoles } from './sections/members.ts';
import { readMetrics } from './sections/metrics.ts';
import { readPrefect } from './sections/prefect.ts';
import { readProviders } from './sections/providers.ts';
import { readProxies } from './sections/proxies.ts';
import { readListen, readPublicUrl } from './sections/public-url.ts';
import { readServices } from './sections/services.ts';
import { checkClientCertificates, readTls } from './sections/tls.ts';
import { readTraces } from './sections/traces.ts';
import { readCliLife, readForwardHeaders, readSessions, readStore } from './sections/traffic.ts';

export interface BuildOptions {
  /** Directory of the configuration file. */
  readonly baseDir: string;
  readonly stateDir: string;
  readonly secrets: 'read' | 'skip';
}

/** Sections that failed validation are absent: what is left is still checked, so that all problems come at once. Undefined: there are problems. */
export function buildConfig(wire: WireSections, problems: ProblemList, options: BuildOptions): Config | undefined {
  const { report } = problems;
  const { baseDir, stateDir, secrets } = options;
  const publicUrl = wire.public_url === undefined ? undefined : readPublicUrl(wire.public_url, report);
  const listen = readListen(wire.listen, publicUrl, report);
  const tls = problems.concerns(['tls'])
    ? null
    : readTls({ wire: wire.tls, publicUrl, baseDir, stateDir, secrets, terminated: wire.tls_terminated_upstream ?? false }, report);
  const prefect =
    wire.prefect === undefined
      ? undefined
      : readPrefect({ wire: wire.prefect, listen, serversReported: problems.concerns(['prefect', 'servers']), baseDir, secrets }, report);
  const providersBroken = problems.concerns(['identity_providers']);
  const providers = wire.identity_providers ?? [];
  checkClientCertificates(wire, problems);
  const parts = {
    proxies: readProxies({ wire, publicUrl }, report),
    identityProviders: readProviders({ wire: providers, baseDir, secrets, publicUrl }, report),
    roles: readRoles(wire.roles ?? [], providersBroken ? undefined : providers, report),
    policies: wire.policies === undefined ? null : resolve(baseDir, wire.policies),
    cliSeconds: readCliLife(wire.sessions, report),
    sessions: readSessions(wire.sessions ?? { idle: '8h', absolute: '24h', cli: '30d' }, report),
    limits: readLimits(wire, problems),
    forwardHeaders: readForwardHeaders(wire.forward_headers ?? [], ['forward_headers'], report),
    services: readServices({ wire: wire.services, listen, prefect, baseDir, secrets }, report),
    forwardProxy: readForwardProxy({ wire: wire.forward_proxy, listen, metrics: wire.metrics?.listen }, report),
    startedByTag: wire.started_by_tag === true,
    ledger: readLedger(wire.ledger),
    traces: readTraces({ wire: wire.traces, baseDir, secrets }, report),
    metrics: readMetrics(wire.metrics, baseDir, report),
    exports: readExports({ wire: wire.ledger?.export ?? [], baseDir, secrets }, report),
    storeFile: readStore(wire.store ?? 'sqlite:lictor.db', stateDir, report),
  };
  if (publicUrl === undefined || prefect === undefined || problems.concerns([])) return undefined;
  return { publicUrl, listen, tls, prefect, ...parts };
}

function readLedger(wire: WireSections['ledger']): Config['ledger'] {
  return { failClosed: wire?.fail_closed ?? true, retentionSeconds: parseDurationSeconds(wire?.retention ?? '') ?? null };
}
