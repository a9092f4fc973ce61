// Which sections of lictor.yaml a reload changes: names alone, since values may be secrets.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';

/** What is in use: the configuration, and the own policies as they were read. */
export interface InUse {
  readonly config: Config;
  readonly policies: { readonly files: unknown };
}

/** The section in which each part stands. What the files behind a path hold (certificates, but not secrets) is no part of it. */
const SECTIONS: Readonly<Record<keyof Config, string>> = {
  publicUrl: 'public_url',
  listen: 'listen',
  proxies: 'trusted_proxies',
  tls: 'tls',
  prefect: 'prefect',
  identityProviders: 'identity_providers',
  roles: 'roles',
  observe: 'observe',
  mode: 'mode',
  policies: 'policies',
  sessions: 'sessions',
  cliSeconds: 'sessions',
  limits: 'limits',
  forwardHeaders: 'forward_headers',
  agents: 'agents',
  approvals: 'approvals',
  oauthClients: 'oauth_clients',
  oauthClientHosts: 'oauth_client_hosts',
  services: 'services',
  forwardProxy: 'forward_proxy',
  startedByTag: 'started_by_tag',
  ledger: 'ledger',
  exports: 'ledger.export',
  traces: 'traces',
  metrics: 'metrics',
  scim: 'scim',
  node: 'node',
  storeAt: 'store',
  storeListen: 'store_listen',
  shutdownDelaySeconds: 'shutdown_delay',
};

/** In the order of the list above; none: `next` says what `former` said. */
export function changedSections(former: InUse, next: InUse): readonly string[] {
  const changed = Object.entries(SECTIONS).filter(([part]) => !isDeepStrictEqual(partOf(former.config, part), partOf(next.config, part)));
  const sections = new Set(changed.map(([, section]) => section));
  if (!isDeepStrictEqual(former.policies.files, next.policies.files)) sections.add('policies');
  return [...sections];
}

function partOf(config: Config, part: string): unknown {
  return new Map<string, unknown>(Object.entries(config)).get(part);
}
