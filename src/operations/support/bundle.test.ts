// A gateway with a secret at every place that can hold one: no byte of them is in the unpacked bundle.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { loadConfig } from '../../config/load.ts';
import { jsonSchema } from '../../config/schema/index.ts';
import { generalPlace, schemaKeys } from '../../config/schema/keys.ts';
import { statePaths } from '../../config/state-dir.ts';
import { archiveOf } from './archive.ts';
import { type BundleParts, gatherBundle } from './bundle.ts';
import { configForSupport } from './config-text.ts';
import { lastLines } from './logs.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-support-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** Every secret of this test. None has a shape that a rule knows. */
const planted = new Map<string, string>();
function secret(place: string): string {
  const text = `zq${planted.size}-${Buffer.from(place).toString('hex').slice(-14)}-plain-word-of-thirty-two-letters`;
  planted.set(place, text);
  return text;
}
function fileWith(place: string, text = (value: string) => value): string {
  const file = join(directory, `secret-${planted.size}`);
  writeFileSync(file, `${text(secret(place))}\n`, { mode: 0o600 });
  return file;
}
/** Those that Lictor can know. */
const known = (): readonly string[] => [...planted].filter(([place]) => !UNKNOWN.test(place)).map(([, value]) => value);
const UNKNOWN = /comment|code of a login|state of a login|referrer|access log|file of nginx/;
/** In the environment. */
const env: Record<string, string> = { PATH: process.env['PATH'] ?? '' };
function variable(place: string, text = (value: string) => value): string {
  const name = `PLANTED_${planted.size}`;
  env[name] = text(secret(place));
  return `\${${name}}`;
}

const ca = join(directory, 'ca.pem');
const inject = (name: string, what: object) => ({ name, servers: ['http://127.0.0.1:9'], inject: what });

function everything(metricsPort: number) {
  return {
    public_url: 'http://localhost:8200',
    store: { url: 'postgres://lictor@127.0.0.1:1/lictor', password_file: fileWith('store.password_file') },
    store_listen: { url: 'postgres://lictor@127.0.0.1:1/lictor', password_file: fileWith('store_listen.password_file') },
    prefect: { url: 'http://127.0.0.1:4200', auth_string: variable('prefect.auth_string', (value) => `gate:${value}`) },
    identity_providers: [
      { id: 'corp', type: 'oidc', issuer: 'https://idp.example.com', client_id: 'lictor', client_secret: variable('identity_providers[].client_secret') },
      {
        id: 'corp2',
        type: 'oidc',
        issuer: 'https://idp2.example.com',
        client_id: 'lictor',
        client_secret_file: fileWith('identity_providers[].client_secret_file'),
      },
      { id: 'local', type: 'accounts' },
    ],
    roles: [{ role: 'viewer', members: ['user:alice.person@corp', 'group:team-a@corp'] }],
    services: [
      inject('one', { header: { name: 'X-Key', value: variable('services[].inject.header.value') } }),
      inject('two', { header: { name: 'X-Key', value_file: fileWith('services[].inject.header.value_file') } }),
      inject('three', { basic: { user: 'u', password: variable('services[].inject.basic.password') } }),
      inject('four', { basic: { user: 'u', password_file: fileWith('services[].inject.basic.password_file') } }),
      inject('five', { query: { name: 'key', value: variable('services[].inject.query.value') } }),
      inject('six', { query: { name: 'key', value_file: fileWith('services[].inject.query.value_file') } }),
      inject('seven', {
        oauth: { token_url: 'https://idp.example.com/token', client_id: 'c', client_secret: variable('services[].inject.oauth.client_secret') },
      }),
      inject('eight', {
        oauth: { token_url: 'https://idp.example.com/token', client_id: 'c', client_secret_file: fileWith('services[].inject.oauth.client_secret_file') },
      }),
    ],
    approvals: [
      {
        ...{ name: 'deletes', principals: ['group:team-a@corp'], actions: ['deployments.delete'], approvers: ['group:leads@corp'] },
        notify: { webhook: `https://hooks.example.com/${secret('the path of a webhook')}`, secret_file: fileWith('approvals[].notify.secret_file') },
      },
    ],
    ledger: {
      export: [
        {
          ...{ type: 'webhook', url: `https://siem.example.com/in?key=${secret('the query of an address')}` },
          secret_file: fileWith('ledger.export[].secret_file'),
        },
        { type: 'otlp', url: 'https://otlp.example.com', headers_file: fileWith('ledger.export[].headers_file', (value) => `x-api-key: ${value}`) },
      ],
    },
    traces: { url: 'https://traces.example.com', headers_file: fileWith('traces.headers_file', (value) => `authorization: Bearer ${value}`) },
    scim: { token_file: fileWith('scim.token_file'), provider: 'corp' },
    metrics: { listen: `127.0.0.1:${metricsPort}` },
  };
}

let parts: BundleParts;
let unpacked: ReadonlyMap<string, string>;
let metrics: ReturnType<typeof createServer>;
beforeAll(async () => {
  writeFileSync(ca, '');
  metrics = createServer((_request, response) => response.end(`lictor_up 1\n# ${known().join(' ')}\n`));
  await new Promise<void>((resolve) => metrics.listen(0, '127.0.0.1', resolve));
  const address = metrics.address();
  const configFile = join(directory, 'lictor.yaml');
  const comment = secret('a comment of lictor.yaml');
  const configText = `# ${comment}\n${stringify(everything(typeof address === 'object' ? (address?.port ?? 0) : 0))}`;
  writeFileSync(configFile, configText);
  const loaded = loadConfig(configFile, env, { stateDir: directory });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  env['OTHER_API_TOKEN'] = secret('a variable of another program');
  const state = join(directory, 'state');
  const paths = statePaths(state, join(state, 'run'));
  for (const below of ['keys', 'log', 'edge/current']) mkdirSync(join(state, below), { recursive: true });
  writeFileSync(paths.edgeSecret, secret('the secret of nginx'));
  writeFileSync(paths.ledgerKey, `-----BEGIN PRIVATE KEY-----\n${secret('a key')}\n-----END PRIVATE KEY-----\n`);
  // Everything that could repeat them does.
  const all = known();
  writeFileSync(join(paths.edge, 'current', 'nginx.conf'), all.map((value) => `# ${value}\n`).join(''));
  writeFileSync(join(paths.edge, 'current', 'upstream-credential.conf'), `set $a "${secret('a file of nginx with a credential')}";\n`);
  const forms = all.flatMap((value) => [value, encodeURIComponent(value), Buffer.from(value).toString('base64'), JSON.stringify({ value })]);
  const codes = `GET /.lictor/callback/corp?code=${secret('the code of a login')}&state=${secret('the state of a login')} HTTP/1.1`;
  writeFileSync(paths.controlLog, `${forms.join('\n')}\nlct_${'a'.repeat(68)}\n`);
  writeFileSync(paths.edgeErrorLog, `2026/01/01 [error] client: 192.0.2.1, request: "${codes}", referrer: "https://x.example/?${secret('a referrer')}"\n`);
  writeFileSync(paths.accessLog, secret('the access log'));
  const findings = all.map((value) => ({ group: 'machine' as const, check: 'planted', status: 'warn' as const, message: value, remedy: value }));
  const versions = { lictor: '1', node: '24', nginx: '1.22', prefect: ['3.9.1'], system: 'Debian', kernel: 'Linux', processors: 2, memory_mib: 1 };
  parts = { config: loaded.config, configText, env, paths, versions, findings, logLines: 10_000 };
  unpacked = await unpack(parts);
});
afterAll(() => metrics.close());

/** As a person who gets the bundle sees it. */
async function unpack(given: BundleParts): Promise<ReadonlyMap<string, string>> {
  const target = mkdtempSync(join(directory, 'unpacked-'));
  execFileSync('tar', ['-xz', '-C', target], { input: await archiveOf('bundle', await gatherBundle(given)) });
  const names = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names.map((entry) => [join(entry.parentPath, entry.name).slice(target.length + 1), readFileSync(join(entry.parentPath, entry.name), 'latin1')]),
  );
}

describe('the bundle', () => {
  it('is tried with a secret at every place of lictor.yaml that holds one', () => {
    const keys = schemaKeys(jsonSchema()).map(({ place, node }) => ({ place: generalPlace(place), isSecret: node['writeOnly'] === true }));
    const files = keys.filter(({ place }) => /(?:secret|value|password|token|headers|auth_string|api_key)_file$/.test(place));
    const places = [...new Set([...keys.filter(({ isSecret }) => isSecret), ...files].map(({ place }) => place))];
    // One Prefect has one credential, and one of these two is enough for a provider of SCIM.
    const instead = ['prefect.auth_string_file', 'prefect.api_key_file', 'scim[].token_file'];
    expect(places.filter((place) => !planted.has(place) && !instead.includes(place))).toEqual([]);
  });

  it('has no byte of a secret, in no form', () => {
    expect(planted.size).toBeGreaterThan(25);
    for (const [name, text] of unpacked) {
      for (const [place, value] of planted)
        for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64').replace(/=+$/, '')])
          expect(text.includes(form), `${name} has the secret of ${place}`).toBe(false);
      expect(text).not.toMatch(/lct_a{10}/);
    }
  });

  it('has what support needs, and says so', () => {
    const names = [...unpacked.keys()].map((name) => name.replace('bundle/', ''));
    expect(names.sort()).toEqual(
      [
        'README.txt',
        'config.yaml',
        'doctor.json',
        'logs/control.log',
        'logs/edge-error.log',
        'metrics.txt',
        'nginx/nginx.conf',
        'state.json',
        'versions.json',
      ].sort(),
    );
    for (const name of names) expect(unpacked.get('bundle/README.txt')).toContain(name === 'README.txt' ? 'Lictor support bundle' : (name.split('/')[0] ?? ''));
    expect(unpacked.get('bundle/metrics.txt')).toContain('lictor_up 1');
    expect(unpacked.get('bundle/config.yaml')).toContain('issuer: https://idp.example.com');
    expect(unpacked.get('bundle/config.yaml')).toContain('group:team-a@corp');
    expect(unpacked.get('bundle/config.yaml')).not.toContain('alice.person');
    expect(unpacked.get('bundle/logs/edge-error.log')).toContain('client: 192.0.2.1, request: "GET /.lictor/callback/corp?[removed] HTTP/1.1"');
    expect(JSON.parse(unpacked.get('bundle/state.json') ?? '')).toMatchObject({
      files: { 'log/access.log': expect.any(Number) },
      rows: { 'ledger.db': 'not there' },
    });
  });

  it('has no logs on request', async () => {
    const without = await gatherBundle({ ...parts, logLines: 0 });
    expect(without.filter(({ name }) => name.startsWith('logs/'))).toEqual([]);
  });
});

describe('lictor.yaml in a bundle', () => {
  it('has no secret in plain text, though lictor rejects such a file', () =>
    expect(configForSupport('prefect: { url: "http://127.0.0.1:4200", auth_string: "gate:plain" }')).toMatch(/auth_string: "?\[removed: secret\]/));

  it('has no value of a key that Lictor does not know, nor its name', () => {
    const text = configForSupport('prefect: { url: "http://u:pw@127.0.0.1:4200/x?y=z", pasword: hidden }\n"hunter2:": x\n');
    expect(text).toContain('http://[removed]@127.0.0.1:4200/[removed]');
    expect(text).not.toMatch(/hidden|hunter2|pw@|y=z/);
  });

  it('keeps a name of the environment, and nothing of a file that is no YAML', () => {
    expect(configForSupport('prefect: { url: "http://h:1", auth_string: "${AUTH}" }')).toContain('${AUTH}');
    expect(configForSupport('a: [secret')).not.toContain('secret');
  });
});

it('the last lines of a log begin with a whole line', () => {
  const file = join(directory, 'long.log');
  writeFileSync(file, Array.from({ length: 9_000 }, (_, index) => `line ${index} ${'x'.repeat(40)}\n`).join(''));
  expect(lastLines(file, 2)).toMatch(/^line 8998 x+\nline 8999 x+\n$/);
  expect(lastLines(file, 9_000).split('\n')[0]).toMatch(/^line \d+ x{40}$/);
  expect(lastLines(join(directory, 'none'), 2)).toBe('');
});
