// Whether a code block of a page is configuration that Lictor loads: a whole lictor.yaml, some of its keys, or a part of one key.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { parse, stringify } from 'yaml';
import { REPOSITORY } from '../../src/cli/repository.ts';
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

interface PlaceOfKeys {
  readonly known: readonly string[];
  readonly config: (keys: Keys) => Keys;
}

/** Where in lictor.yaml a block of keys can stand. */
function placesOfKeys(): readonly PlaceOfKeys[] {
  const { properties } = JSON.parse(readFileSync(join(REPOSITORY, 'lictor.schema.json'), 'utf8'));
  const ofItem = (list: string, item: Keys): PlaceOfKeys => ({
    known: Object.keys(properties[list].items.properties),
    config: (keys) => ({ ...BASE, [list]: [{ ...item, ...keys }] }),
  });
  return [
    { known: Object.keys(properties), config: (keys) => ('public_url' in keys ? keys : { ...BASE, ...keys }) },
    ofItem('services', SERVICE),
    ofItem('agents', AGENT),
    ofItem('approvals', APPROVAL),
  ];
}

/** Where a block of list items can stand. */
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
  const places = placesOfKeys();
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
      if (typeof value !== 'object' || value === null) return false;
      const fits = ({ known }: PlaceOfKeys): boolean => Object.keys(value).every((key) => known.includes(key));
      return places.some((place) => fits(place) && loads(place.config({ ...value })));
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
