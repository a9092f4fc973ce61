// Whether a code block of a page is configuration that Lictor loads: a whole lictor.yaml, some of its keys, or a part of one key.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { parse, stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';

type Keys = Readonly<Record<string, unknown>>;

const PROVIDERS: readonly Keys[] = [
  { id: 'corp', type: 'oidc', issuer: 'https://idp.example.com', client_id: 'lictor' },
  { id: 'local', type: 'accounts' },
  { id: 'ci', type: 'jwt', issuer: 'https://ci.example.com', audience: 'lictor' },
];
const BASE: Keys = {
  public_url: 'https://prefect.example.com',
  tls: { self_made: true },
  prefect: { url: 'http://127.0.0.1:4200' },
  identity_providers: PROVIDERS,
};
const SERVICE: Keys = { name: 'billing', servers: ['http://10.1.0.1:8080'] };
const AGENT: Keys = { name: 'copilot', sponsor: 'user:alice@corp', credential: 'token', roles: [{ role: 'viewer' }] };
const APPROVAL: Keys = { name: 'deletes', principals: ['agent:*'], actions: ['deployments.delete'], approvers: ['user:alice@corp'] };

/** Where in lictor.yaml a block of keys can stand, and a block of list items. */
const PLACES_OF_KEYS: readonly ((keys: Keys) => Keys)[] = [
  (keys) => ('public_url' in keys ? keys : { ...BASE, ...keys }),
  (keys) => ({ ...BASE, services: [{ ...SERVICE, ...keys }] }),
  (keys) => ({ ...BASE, agents: [{ ...AGENT, ...keys }] }),
  (keys) => ({ ...BASE, approvals: [{ ...APPROVAL, ...keys }] }),
];
const PLACES_OF_ITEMS: readonly ((items: readonly unknown[]) => Keys)[] = [
  (items) => ({ ...BASE, identity_providers: [...PROVIDERS, ...items] }),
  (items) => ({ ...BASE, ledger: { export: items } }),
];

export interface ConfigurationCheck {
  accepts(block: string): boolean;
  close(): void;
}

/** Certificates of authorities are there; secrets are not read. */
export function openConfigurationCheck(): ConfigurationCheck {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-doc-configuration-'));
  mkdirSync(join(directory, 'policies'));
  for (const name of ['k8s-ca.pem', 'idp-ca.pem', 'prefect-ca.pem']) writeFileSync(join(directory, name), `${rootCertificates[0]}\n`);
  const loads = (config: Keys): boolean => {
    const file = join(directory, 'lictor.yaml');
    writeFileSync(file, stringify(config));
    return loadConfig(file, {}, { stateDir: directory, secrets: 'skip' }).ok;
  };
  return {
    accepts(block) {
      const value = parsed(block.replaceAll('/etc/lictor/', ''));
      if (Array.isArray(value)) return PLACES_OF_ITEMS.some((place) => loads(place(value)));
      return typeof value === 'object' && value !== null && PLACES_OF_KEYS.some((place) => loads(place({ ...value })));
    },
    close: () => rmSync(directory, { recursive: true }),
  };
}

function parsed(text: string): unknown {
  try {
    return parse(text, { logLevel: 'error' });
  } catch {
    return undefined;
  }
}
