// Compares the configuration for each nginx version with reviewed files: test/golden/nginx-VERSION/FORM.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { edgeForms, edgeServices } from '../../../test/env/edge-forms.ts';
import { stubConfig } from '../../../test/env/stub-edge.ts';
import type { Config } from '../../config/config.ts';
import { statePaths } from '../../config/state-dir.ts';
import type { Carrier } from '../../contract/principal.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { lintEdge } from './lint.ts';
import { type EdgeFiles, renderEdge } from './render.ts';
import { nginxArgs, parseNginxVersion } from './version.ts';

const GOLDEN = join(import.meta.dirname, '../../../test/golden');
const VERSIONS = ['1.18.0', '1.22.1', '1.26.3', '1.29.7'] as const;
/** The differences between versions, and their files. `to-prefect.conf` differs only by form. */
const KEPT = ['nginx.conf', 'servers.conf', 'upstreams.conf'] as const;

const PATHS = statePaths('/var/lib/lictor', '/run/lictor');
const PLAIN = stubConfig(4280, { url: 'http://127.0.0.1:4200', authString: 'user:not-a-secret' });
const CERTIFICATES = { certFile: '/etc/lictor/cert.pem', keyFile: '/etc/lictor/key.pem', caFile: '/etc/lictor/ca.pem' };
const FORMS = edgeForms(CERTIFICATES);

function render(version: string, form: Partial<Config>): EdgeFiles {
  return renderEdge({
    config: { ...PLAIN, ...form },
    paths: PATHS,
    operations: OPERATIONS,
    version: parseNginxVersion('nginx', `nginx/${version}`),
    workerUser: 'www-data',
    tempDir: '/var/lib/lictor/tmp',
    workers: 2,
    openFiles: 65_536,
    node: 'gateway-1:/var/lib/lictor',
    edgeSecret: 'no-real-secret',
  });
}

const rendered = new Map<string, EdgeFiles>();

/** Rendered once for several tests. */
function renderForm(version: string, name: string): EdgeFiles {
  const key = `${version} ${name}`;
  const files = rendered.get(key) ?? render(version, FORMS[name] ?? {});
  rendered.set(key, files);
  return files;
}

/** UPDATE_GOLDEN=1 writes the current result. Read the difference before a commit. */
function expectGolden(name: string, text: string): void {
  const file = join(GOLDEN, name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text, `${name}; UPDATE_GOLDEN=1 writes it anew`).toBe(readFileSync(file, 'utf8'));
}

describe.each(VERSIONS)('the configuration for nginx %s', (version) => {
  it.each(Object.keys(FORMS))('is the golden one: %s', (name) => {
    const files = renderForm(version, name);
    for (const file of KEPT) expectGolden(`nginx-${version}/${name}/${file}`, files.get(file) ?? '');
    expect(lintEdge(files)).toEqual([]);
  });

  it('keeps the rules with a path in public_url', () => {
    const below = { publicUrl: { ...PLAIN.publicUrl, basePath: '/prefect' } };
    for (const form of Object.values(FORMS)) expect(lintEdge(render(version, { ...form, ...below }))).toEqual([]);
  });

  it('has its services, by the same rules, with a path in public_url too', () => {
    const files = render(version, { services: edgeServices(CERTIFICATES) });
    for (const file of [
      'service-maps.conf',
      'services.conf',
      'service_billing.conf',
      'service_vault.conf',
      'service_tokens_credential.conf',
      'service_in-query_credential.conf',
      'answer-credentials.conf',
      'service_looked-after.conf',
    ])
      expectGolden(`services/${file}`, files.get(file) ?? '');
    expect(lintEdge(files)).toEqual([]);
    const publicUrl = { ...PLAIN.publicUrl, basePath: '/prefect' };
    expect(lintEdge(render(version, { publicUrl, services: edgeServices(CERTIFICATES) }))).toEqual([]);
    const secrets = [...files].filter(([, text]) => text.includes('no-real-key')).map(([file]) => file);
    expect(secrets).toEqual(['answer-credentials.conf', 'service_billing_credential.conf']);
  });

  it('is started with the golden arguments', () => {
    const args = nginxArgs(parseNginxVersion('nginx', `nginx/${version}`), PATHS.edge, join(PATHS.edge, 'current/nginx.conf'), PATHS.edgeErrorLog);
    expectGolden(`nginx-${version}/arguments`, `${args.join('\n')}\n`);
  });

  it.each(Object.keys(FORMS))('differs from that for the oldest in nothing else: %s', (name) => {
    const rest = (files: EdgeFiles): EdgeFiles => new Map([...files].filter(([file]) => !KEPT.some((kept) => kept === file)));
    expect(rest(renderForm(version, name))).toEqual(rest(renderForm('1.18.0', name)));
  });
});

it('the key of a decision has every input of it, whatever nginx hands over', () => {
  const files = render('1.26.3', FORMS['certificates'] ?? {});
  const all = [...files.values()].join('\n');
  const decision = /location = \/\.lictor-decision \{([\s\S]*?)\n\}/.exec(all)?.[1] ?? '';
  const inputs = [...decision.matchAll(/proxy_set_header (X-Lictor-In-[A-Za-z-]+) (\S+);/g)].map(([, name = '', variable = '']) => ({ name, variable }));
  const ofMap = (name: string): string => new RegExp(`map \\S+ \\${name} \\{[^}]*default "([^"]*)"`).exec(all)?.[1] ?? '';
  const key = (/proxy_cache_key "([^"]*)"/.exec(decision)?.[1] ?? '').replace('$lictor_carriers', () => ofMap('$lictor_carriers'));
  // The operation contains the method. $lictor_deciding contains path and query if the catalogue requires them.
  const byOthers = ['X-Lictor-In-Request-Id', 'X-Lictor-In-Method', 'X-Lictor-In-Path', 'X-Lictor-In-Args'];
  const missing = inputs.filter(({ name, variable }) => !byOthers.includes(name) && !key.split('|').includes(variable));
  expect(inputs.length).toBeGreaterThan(10);
  expect(key).toContain('$lictor_deciding');
  expect(missing).toEqual([]);
});

/** For each carrier: its input, and the part of a request that makes nginx read it. nginx reads a certificate for every request. A new carrier needs a line. */
const INPUTS = {
  authorization: { input: 'Authorization', readBy: null },
  'x-lictor-token': { input: 'Token', readBy: '$http_x_lictor_token' },
  session: { input: 'Session', readBy: '$http_cookie' },
  certificate: { input: 'Certificate', readBy: null },
} as const satisfies Record<Exclude<Carrier, 'frame'>, { readonly input: string; readonly readBy: string | null }>;

it('an upgrade has the queue of those with a credential by each carrier that the relay knows', () => {
  const all = [...render('1.26.3', FORMS['certificates'] ?? {}).values()].join('\n');
  const key = /map "([^"]*)" \$lictor_relay_queue \{/.exec(all)?.[1] ?? '';
  const carriers = Object.values(INPUTS).map(({ input }) => new RegExp(`X-Lictor-In-${input} (\\$\\w+);`).exec(all)?.[1]);
  expect(key).toBe(carriers.join(''));
});

it('a request with any carrier has it in the key of its decision: the short way is for those without', () => {
  const all = [...render('1.26.3', FORMS['certificates'] ?? {}).values()].join('\n');
  const aside = /map "([^"]*)" \$lictor_aside \{/.exec(all)?.[1] ?? '';
  const [, short = '', long = ''] = /map \$lictor_aside \$lictor_carriers \{\s*"" "([^"]*)";\s*default "([^"]*)";/.exec(all) ?? [];
  for (const [carrier, { input, readBy }] of Object.entries(INPUTS)) {
    const variable = new RegExp(`X-Lictor-In-${input} (\\$\\w+);`).exec(all)?.[1] ?? '?';
    if (readBy !== null) expect([aside, long], carrier).toEqual([expect.stringContaining(readBy), expect.stringContaining(variable)]);
    else if (carrier !== 'authorization') expect([short, long], carrier).toEqual([expect.stringContaining(variable), expect.stringContaining(variable)]);
  }
  expect(short.split('|')).toHaveLength(long.split('|').length);
});
