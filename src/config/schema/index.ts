// The schema of lictor.yaml: it gives the configuration and the JSON Schema (lictor.schema.json).
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { agentsSection } from '../sections/agents.ts';
import { approvalsSection } from '../sections/approvals.ts';
import { type Context, contextOf, type Files } from '../sections/context.ts';
import { exportsSection, tracesSection } from '../sections/exports.ts';
import { forwardProxySection, metricsSection } from '../sections/extra-listeners.ts';
import { limitsSection } from '../sections/limits.ts';
import { oauthClientHostsSection, oauthClientsSection } from '../sections/oauth-clients.ts';
import { prefectSection } from '../sections/prefect.ts';
import { providersSection } from '../sections/providers.ts';
import { listenSection, publicUrlSection } from '../sections/public-url.ts';
import { modeKey, observeKey, rolesSection } from '../sections/roles.ts';
import { scimSection } from '../sections/scim.ts';
import { servicesSection } from '../sections/services.ts';
import { nodeKey, storeListenSection, storeSection } from '../sections/store.ts';
import { tlsSection, tlsTerminatedUpstreamSection } from '../sections/tls.ts';
import { forwardHeaders, ledgerKeys, sessionsSection, trustedProxiesSection } from '../sections/traffic.ts';
import { says } from './issues.ts';
import { filePath, timerSeconds } from './scalars.ts';

/** Load balancers take a node out after two or three failed checks. */
const CLUSTER_DELAY_SECONDS = 10;

/** Parses the data of the file into the configuration, or into every problem with its place. */
export function configSchema(context: Context) {
  return sections(context).transform(
    ({ ledger, sessions, ...wire }): Config => ({
      publicUrl: wire.public_url,
      listen: wire.listen,
      tls: wire.tls,
      prefect: wire.prefect,
      proxies: { terminateTls: wire.tls_terminated_upstream ?? false, trusted: wire.trusted_proxies },
      identityProviders: wire.identity_providers,
      roles: wire.roles,
      mode: wire.mode,
      ...(wire.observe !== undefined && { observe: wire.observe }),
      policies: wire.policies === undefined ? null : resolve(context.baseDir, wire.policies),
      cliSeconds: sessions.cli,
      sessions: { idleSeconds: sessions.idle, absoluteSeconds: sessions.absolute },
      limits: wire.limits,
      forwardHeaders: wire.forward_headers,
      services: wire.services,
      agents: wire.agents,
      approvals: wire.approvals,
      oauthClients: wire.oauth_clients,
      oauthClientHosts: wire.oauth_client_hosts,
      forwardProxy: wire.forward_proxy,
      startedByTag: wire.started_by_tag,
      ledger: { failClosed: ledger.fail_closed, retentionSeconds: ledger.retention ?? null },
      traces: wire.traces,
      metrics: wire.metrics,
      exports: ledger.export ?? [],
      scim: wire.scim,
      node: wire.node ?? hostname(),
      storeAt: wire.store,
      storeListen: wire.store_listen,
      shutdownDelaySeconds: wire.shutdown_delay ?? (typeof wire.store === 'string' ? 0 : CLUSTER_DELAY_SECONDS),
    }),
  );
}

function sections(context: Context) {
  return z
    .strictObject({
      public_url: publicUrlSection,
      listen: listenSection(context),
      tls: tlsSection(context),
      tls_terminated_upstream: tlsTerminatedUpstreamSection(context),
      trusted_proxies: trustedProxiesSection(context),
      prefect: prefectSection(context),
      identity_providers: providersSection(context),
      roles: rolesSection(context),
      mode: modeKey
        .default('enforce')
        .describe('observe: for 30 days, what only the policies deny is recorded and not rejected (docs/how-to/observe.md). Default: enforce.'),
      observe: observeKey,
      policies: filePath.optional().describe('Directory with own policies (*.cedar) and their vectors (*.vectors.yaml): docs/how-to/policies.md.'),
      sessions: sessionsSection.prefault({}),
      limits: limitsSection(context),
      forward_headers: forwardHeaders.prefault([]).describe('Request headers that reach Prefect beside the built-in list.'),
      started_by_tag: z
        .boolean()
        .default(false)
        .describe('true: runs that a principal creates get the tag started-by:NAME, and no other request may put, change or remove such a tag.'),
      services: servicesSection(context),
      forward_proxy: forwardProxySection(context),
      ledger: z
        .strictObject({ ...ledgerKeys, export: exportsSection(context).optional() })
        .prefault({})
        .describe('The record of everything that was asked and decided.'),
      node: nodeKey,
      store: storeSection(context),
      store_listen: storeListenSection(context),
      shutdown_delay: timerSeconds
        .optional()
        .describe(
          `After SIGTERM, /.lictor/ready says 503 for so long before the gateway stops serving. Default: ${CLUSTER_DELAY_SECONDS}s with Postgres, none with SQLite.`,
        ),
      metrics: metricsSection(context),
      traces: tracesSection(context),
      agents: agentsSection(context),
      approvals: approvalsSection(context),
      oauth_clients: oauthClientsSection,
      oauth_client_hosts: oauthClientHostsSection,
      scim: scimSection(context),
    })
    .refine(({ observe, mode, roles }) => observe === undefined || [mode, ...roles.map((binding) => binding.mode)].includes('observe'), {
      ...says('has no effect, because no mode is observe', 'Write mode: observe, or remove it.'),
      path: ['observe'],
    })
    .refine(({ store, store_listen: listen }) => listen === null || typeof store !== 'string', {
      ...says('has no effect, because the store is SQLite', 'Remove it, or write a Postgres database in store.'),
      path: ['store_listen'],
    })
    .describe('Configuration of Lictor, an identity-aware gateway for Prefect.');
}

const NO_FILES: Files = { baseDir: '', stateDir: '', secrets: 'skip' };

/** The JSON Schema that is published as lictor.schema.json. Only the first call makes it. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  published ??= { title: 'lictor.yaml', ...z.toJSONSchema(configSchema(contextOf({}, NO_FILES)), { io: 'input', target: 'draft-7' }) };
  return published;
}

/** The sections are a part of this program, and zod takes 20 ms to make a JSON Schema of them. */
let published: Readonly<Record<string, unknown>> | undefined;

/** The same as text. */
export function renderJsonSchema(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`;
}
