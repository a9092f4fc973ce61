// A service may have any valid name: none of its files or variables replaces one of another service, or a shared one.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stubConfig } from '../../../test/env/stub-edge.ts';
import { bareService } from '../../config/service.fixture.ts';
import type { Service } from '../../config/service.ts';
import { statePaths } from '../../config/state-dir.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { type Directive, parseConf, walkConf } from './conf-tree.ts';
import { lintEdge } from './lint.ts';
import { renderEdge } from './render.ts';
import { parseNginxVersion } from './version.ts';

const PARTS = join(import.meta.dirname, '../../../nginx');
/** The names of the hand-written parts: `service-socket.conf`. */
const OF_PARTS = readdirSync(PARTS).flatMap((file) => /^service-(.*)\.conf$/.exec(file)?.[1] ?? []);
/** The names of variables and zones that all services share. */
const OF_VARIABLES = [
  'body',
  'unmarked',
  'not-status',
  'not-told',
  'further',
  'stream-wanted',
  'generation',
  'rule',
  'location',
  'link',
  'way',
  'at',
  'target',
];
const ENDS = ['credential', 'kept', 'backups', '0', '1', '2', 'conn', 'socket'];
const NAMES = [...new Set([...OF_PARTS, 'maps', 'members', ...OF_VARIABLES, 'a', ...ENDS.map((end) => `a-${end}`)])];

const RULE = { patterns: ['/v1/*'], ttlSeconds: 60, shared: true, staleSeconds: 0, mostBytes: 1_000_000 };
const LIMIT = { rate: { perSecond: 1, atOnce: 1, waiting: 0 }, concurrency: 1, bandwidth: null };

/** A service with every setting that creates a name in nginx. */
function service(name: string, place: number): Service {
  const servers = [1, 2, 3].map((host) => ({ origin: `http://10.0.${place}.${host}:80`, weight: 1, backup: host === 3 }));
  return bareService(name, [{ pattern: '/*', methods: ['GET'] }], {
    ...{ servers, balance: 'least_connections', injected: { header: 'X-Key', value: `key-of-${name}` }, sockets: true, cache: [RULE] },
    limit: { ...LIMIT, per: place % 2 === 0 ? 'service' : 'principal' },
    retries: { attempts: 2, budget: 0.1 },
    health: { path: '/', intervalMs: 1000, unhealthyAfter: 1, healthyAfter: 1 },
  });
}

const files = () =>
  renderEdge({
    config: { ...stubConfig(4280, { url: 'http://127.0.0.1:4200', authString: 'user:not-a-secret' }), services: NAMES.map(service) },
    paths: statePaths('/var/lib/lictor', '/run/lictor'),
    operations: OPERATIONS,
    version: parseNginxVersion('nginx', 'nginx/1.22.1'),
    workerUser: null,
    ...{ tempDir: '/var/lib/lictor/tmp', workers: 2, openFiles: 65_536, node: 'here', edgeSecret: 'no-real-secret' },
  });

it('whatever services are called, the hand-written parts are as they were written', () => {
  const rendered = files();
  for (const file of readdirSync(PARTS).filter((name) => name !== 'http.conf')) expect(rendered.get(file), file).toBe(readFileSync(join(PARTS, file), 'utf8'));
});

it('each service has its own credential, and no other has it', () => {
  const rendered = files();
  for (const name of NAMES) {
    const holding = [...rendered].filter(([, text]) => text.includes(`proxy_set_header X-Key "key-of-${name}";`)).map(([file]) => file);
    expect(holding, name).toEqual([`service_${name}_credential.conf`]);
  }
});

it('each name of nginx is given once', () => {
  const given = [...walkConf(parseConf('include nginx.conf;', files()))].flatMap(({ directive }) => nameOf(directive));
  expect(given.filter((name, place) => given.indexOf(name) < place)).toEqual([]);
  expect(given.length).toBeGreaterThan(NAMES.length * 10);
});

it('an Upgrade leads to the relay alone, and the rules hold', () => {
  const rendered = files();
  const sockets = [...walkConf(parseConf('include nginx.conf;', rendered))].filter(
    ({ directive: { name, args } }) => name === 'location' && /^@service_.*_socket$/.test(args[0] ?? ''),
  );
  const targets = sockets.map(({ directive }) => directive.block?.filter(({ name }) => name === 'proxy_pass').map(({ args }) => args[0]));
  expect(targets).toEqual(NAMES.map(() => ['http://$lictor_relay_queue']));
  expect(lintEdge(rendered)).toEqual([]);
});

/** Names that would replace those of another service. */
function nameOf({ name, args }: Directive): readonly string[] {
  const [first = '', second = ''] = args;
  if (name === 'map' || name === 'geo') return [`variable ${name === 'map' ? second : first}`];
  if (name === 'upstream') return [`upstream ${first}`];
  if (name === 'location' && first.startsWith('@service_')) return [`location ${first}`];
  if (name === 'listen' && first.startsWith('unix:')) return [`socket ${first}`];
  if (name === 'zone') return [`zone ${first}`];
  if (/^(?:limit_req_zone|limit_conn_zone|proxy_cache_path)$/.test(name)) return [`zone ${/zone=([a-z0-9_]+)/.exec(args.join(' '))?.[1]}`];
  return [];
}
