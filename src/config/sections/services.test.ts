import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { docsBlock } from '../../../test/env/docs.ts';
import { loadConfig } from '../load.ts';
import type { Service } from '../service.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-services-'));
afterAll(() => rmSync(directory, { recursive: true }));
const keyFile = join(directory, 'key');
writeFileSync(keyFile, 'a$b"c\\d;\n', { mode: 0o600 });

function load(services: unknown, env: Record<string, string> = {}) {
  const file = join(directory, 'lictor.yaml');
  writeFileSync(file, stringify({ public_url: 'http://localhost:8200', prefect: { url: 'http://127.0.0.1:4200' }, services }));
  return loadConfig(file, env, { stateDir: directory });
}

function accepted(service: object, env?: Record<string, string>): Service {
  const result = load([{ name: 'billing', servers: ['http://10.0.0.1:8080'], ...service }], env);
  if (!result.ok || result.config.services[0] === undefined) throw new Error(JSON.stringify(result));
  return result.config.services[0];
}

function problems(...services: readonly object[]): readonly string[] {
  const result = load(services.map((service) => ({ name: 'billing', servers: ['http://10.0.0.1:8080'], ...service })));
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a service', () => {
  it('is everything on its servers by default', () => {
    const service = accepted({});
    expect(service).toMatchObject({ servers: [{ origin: 'http://10.0.0.1:8080', weight: 1, backup: false }], path: '', injected: null, timeoutSeconds: 60 });
    expect(service.routes).toEqual([{ pattern: '/*', methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] }]);
  });

  it('has its routes, the most specific first, each pattern once', () => {
    const allow = [
      { paths: ['/v1/*', '/*'], methods: ['GET'] },
      { paths: ['/v1/admin/*', '/v1/rates'], methods: ['POST'] },
      { paths: ['/v1/*'], methods: ['PUT'] },
    ];
    expect(accepted({ allow }).routes).toEqual([
      { pattern: '/v1/rates', methods: ['POST'] },
      { pattern: '/v1/admin/*', methods: ['POST'] },
      { pattern: '/v1/*', methods: ['GET', 'HEAD', 'PUT'] },
      { pattern: '/*', methods: ['GET', 'HEAD'] },
    ]);
  });

  it.each<[object, object]>([
    [{ rate: '50/s' }, { per: 'principal', rate: { perSecond: 50, atOnce: 50, waiting: 0 }, concurrency: null, bandwidth: null }],
    [
      { rate: '50/s', burst: 10, max_wait: '2s' },
      { per: 'principal', rate: { perSecond: 50, atOnce: 10, waiting: 100 }, concurrency: null, bandwidth: null },
    ],
    [
      { rate: '10/s', max_wait: '500ms', concurrency: 3, per: 'service' },
      { per: 'service', rate: { perSecond: 10, atOnce: 0, waiting: 5 }, concurrency: 3, bandwidth: null },
    ],
    [{ concurrency: 3 }, { per: 'principal', rate: null, concurrency: 3, bandwidth: null }],
    [{ bandwidth: '10MB/s' }, { per: 'principal', rate: null, concurrency: null, bandwidth: 10_000_000 }],
    [
      { concurrency: 3, bandwidth: '64kB/s' },
      { per: 'principal', rate: null, concurrency: 3, bandwidth: 64_000 },
    ],
  ])('has a limit: %j', (limit, wanted) => expect(accepted({ limit }).limit).toEqual(wanted));

  it('has health checks, and then its servers may have different host names', () => {
    const servers = ['https://a.example', 'https://b.example'];
    expect(accepted({ servers, health: { path: '/health' } }).health).toEqual({ path: '/health', intervalMs: 1000, unhealthyAfter: 2, healthyAfter: 2 });
    expect(problems({ servers, health: { path: 'health' } })).toEqual(['services[0].health.path: is no path']);
    const backup = [...servers, { url: 'https://c.example', backup: true }];
    expect(accepted({ servers: backup, health: { path: '/health' } }).servers.map((server) => server.backup)).toEqual([false, false, true]);
  });

  it('chooses its servers by turns, by calls under way, or by run, which leaves no room for servers that wait', () => {
    const servers = ['http://10.0.0.1', 'http://10.0.0.2'];
    expect(accepted({}).balance).toBe('round_robin');
    expect(accepted({ servers, balance: 'least_connections', health: { path: '/health' } }).balance).toBe('least_connections');
    expect(accepted({ servers, balance: 'hash_by_run' }).balance).toBe('hash_by_run');
    const waiting = [...servers, { url: 'http://10.0.0.3', backup: true }];
    expect(problems({ servers: waiting, balance: 'hash_by_run' })).toEqual(['services[0].balance: stands beside a backup server']);
    expect(problems({ servers, balance: 'hash_by_run', health: { path: '/health' } })).toEqual(['services[0].balance: stands beside health']);
    expect(problems({ balance: 'random' })).toEqual([expect.stringContaining('services[0].balance: must be one of')]);
  });

  it('shows a key from a file or from the environment', () => {
    expect(accepted({ inject: { header: { name: 'X-Api-Key', value_file: keyFile } } }).injected).toEqual({ header: 'X-Api-Key', value: 'a$b"c\\d;' });
    expect(accepted({ inject: { header: { name: 'X-Api-Key', value: '${KEY}' } } }, { KEY: 'from-there' }).injected).toMatchObject({ value: 'from-there' });
    const basic = accepted({ inject: { basic: { user: 'me', password: '${KEY}' } } }, { KEY: 'a:b' });
    expect(basic.injected).toEqual({ header: 'Authorization', value: `Basic ${Buffer.from('me:a:b').toString('base64')}` });
  });

  it('shows a key in the query, or a signature of AWS', () => {
    expect(accepted({ inject: { query: { name: 'key', value: '${KEY}' } } }, { KEY: 'a&b' }).injected).toEqual({ query: { name: 'key', value: 'a&b' } });
    const sigv4 = { region: 'eu-west-1', service: 'execute-api' };
    expect(accepted({ inject: { sigv4 } }).injected).toEqual({ sigv4: { ...sigv4, profile: null } });
    expect(accepted({ inject: { sigv4: { ...sigv4, profile: 'data' } } }).injected).toEqual({ sigv4: { ...sigv4, profile: 'data' } });
  });

  it('has calls made again so often, and of all calls so many', () => {
    expect(accepted({ retries: { attempts: 3 } }).retries).toEqual({ attempts: 3, budget: null });
    expect(accepted({ retries: { attempts: 2, budget: '10%' } }).retries).toEqual({ attempts: 2, budget: 0.1 });
    expect(accepted({}).retries).toBeNull();
  });

  it('gets access tokens as a client', () => {
    const client = { token_url: 'https://idp.example/token', client_id: 'gateway' };
    expect(accepted({ inject: { oauth: { ...client, client_secret_file: keyFile } } }).injected).toEqual({
      oauth: {
        ...{ tokenUrl: 'https://idp.example/token', clientId: 'gateway', clientSecret: 'a$b"c\\d;', clientAuth: 'basic' },
        ...{ scope: null, audience: null, caFile: null },
      },
    });
    const more = { client_secret: '${SECRET}', client_auth: 'post', scope: 'read', audience: 'billing' };
    expect(accepted({ inject: { oauth: { ...client, ...more } } }, { SECRET: 'x' }).injected).toMatchObject({
      oauth: { clientSecret: 'x', clientAuth: 'post', scope: 'read', audience: 'billing' },
    });
  });

  it.each<[object, string]>([
    [{ servers: ['http://127.0.0.1:4200'] }, 'services[0].servers[0]: is the Prefect server'],
    [{ servers: ['http://localhost:8200'] }, 'services[0].servers[0]: is where the gateway itself listens'],
    [{ servers: ['http://user:pw@10.0.0.1'] }, 'services[0].servers[0]: must be scheme'],
    [{ servers: ['http://10.0.0.1/a/../b'] }, 'services[0].servers[0]: must be scheme'],
    [{ servers: ['http://10.0.0.1?x=1'] }, 'services[0].servers[0]: must be scheme'],
    [{ servers: ['http://10.0.0.1/$host'] }, 'services[0].servers[0]:'],
    [{ servers: ['http://10.0.0.1', 'https://10.0.0.1'] }, 'services[0].servers: has http and https'],
    [{ servers: ['http://10.0.0.1/a', 'http://10.0.0.2'] }, 'services[0].servers: has different paths'],
    [{ servers: ['https://a.example', 'https://b.example'] }, 'services[0].servers: has https servers with different host names'],
    [{ servers: ['http://10.0.0.1', 'http://10.0.0.1'] }, 'services[0].servers: names a server twice'],
    [{ servers: [{ url: 'http://10.0.0.1', backup: true }] }, 'services[0].servers: has no server but backups'],
    [{ name: 'Billing' }, 'services[0].name:'],
    [{ name: 'lictor-cli' }, 'services[0].name: is the name of a client'],
    [{ tls: { ca_file: 'x.pem' } }, 'services[0].tls: is set, though no server is https'],
    [{ servers: ['https://10.0.0.1'], tls: { ca_file: 'nothing.pem' } }, 'services[0].tls.ca_file:'],
    [{ servers: ['https://10.0.0.1'], tls: { cert: 'x.pem' } }, 'services[0].tls.key: is missing'],
    [{ allow: [] }, 'services[0].allow: lets nothing be called'],
    [{ allow: [{ methods: ['TRACE'] }] }, 'services[0].allow[0].methods[0]: is no method'],
    [{ allow: [{ paths: ['v1/*'] }] }, 'services[0].allow[0].paths[0]: is no path'],
    [{ allow: [{ paths: ['/v1/../x'] }] }, 'services[0].allow[0].paths[0]: is no path'],
    [{ allow: [{ paths: ['/v1/$host"'] }] }, 'services[0].allow[0].paths[0]: is no path'],
    [{ allow: [{ paths: ['/v1/%61'] }] }, 'services[0].allow[0].paths[0]: is no path'],
    [{ inject: { header: { name: 'X-Api-Key', value: 'plain' } } }, 'services[0].inject.header.value: is a secret in plain text'],
    [{ inject: { header: { name: 'X-Lictor-Assertion', value_file: keyFile } } }, 'services[0].inject.header.name: X-Lictor-Assertion is set by the gateway'],
    [{ inject: { header: { name: 'Host', value_file: keyFile } } }, 'services[0].inject.header.name: Host is set by the gateway'],
    [{ inject: { header: { name: 'X-Api-Key' } } }, 'services[0].inject.header.value_file: is missing'],
    [{ inject: { oauth: { token_url: 'http://idp.example/token', client_id: 'x', client_secret_file: keyFile } } }, 'oauth.token_url: is plain http'],
    [{ inject: { oauth: { token_url: 'https://u:p@idp.example/', client_id: 'x', client_secret_file: keyFile } } }, 'oauth.token_url: is no plain address'],
    [{ inject: { oauth: { token_url: 'https://idp.example/', client_id: 'x' } } }, 'oauth.client_secret_file: is missing'],
    [{ inject: { oauth: { token_url: 'https://idp.example/', client_id: 'x', client_secret: 'plain' } } }, 'oauth.client_secret: is a secret in plain text'],
    [{ inject: { oauth: { token_url: 'https://idp.example/', client_id: 'x', client_secret_file: keyFile, ca_file: 'none.pem' } } }, 'oauth.ca_file: '],
    [{ inject: { basic: { user: 'a:b', password_file: keyFile } } }, 'services[0].inject.basic.user: holds a colon'],
    [{ limit: {} }, 'services[0].limit: limits nothing'],
    [{ limit: { max_wait: '2s' } }, 'services[0].limit.max_wait: needs a rate'],
    [{ limit: { rate: '1/s', max_wait: '500ms' } }, 'services[0].limit.max_wait: is shorter than one turn'],
    [{ limit: { rate: '1/s', per: 'run' } }, 'services[0].limit.per: must be one of'],
    [{ limit: { bandwidth: '10/s' } }, 'services[0].limit.bandwidth: '],
    [{ forward_headers: ['X-Forwarded-For'] }, 'services[0].forward_headers[0]: x-forwarded-for is set by the gateway'],
    [{ inject: { query: { name: 'a=b&c', value_file: keyFile } } }, 'inject'],
    [{ inject: {} }, 'services[0].inject: must hold exactly one credential'],
    [{ inject: { basic: { user: 'me', password_file: keyFile }, query: { name: 'key', value_file: keyFile } } }, 'services[0].inject: must hold exactly one'],
    [{ inject: { basic: { usr: 'me', password_file: keyFile } } }, 'services[0].inject.basic.usr: unknown key'],
    [{ inject: { basic: { user: 'me', password_file: keyFile, password: '${PATH}' } } }, 'services[0].inject.basic.password_file: stands beside password'],
    [{ inject: { query: { name: 'key', value: 'plain' } } }, 'services[0].inject.query.value: is a secret in plain text'],
    [{ inject: { query: { name: 'key' } } }, 'services[0].inject.query.value_file: is missing'],
    [{ retries: { attempts: 6 } }, 'services[0].retries.attempts'],
    [{ retries: { attempts: 2, budget: '0%' } }, 'services[0].retries.budget'],
    [{ inject: { sigv4: { region: 'EU West', service: 's3' } } }, 'inject'],
    [{ inject: { sigv4: { region: 'eu-west-1', service: 's3' } }, balance: 'hash_by_run' }, 'services[0].balance: stands beside a credential'],
    [{ retries: { attempts: 2 }, balance: 'hash_by_run' }, 'services[0].balance: stands beside retries'],
  ])('is refused: %j', (service, words) => {
    expect(problems(service).join('\n')).toContain(words);
    expect(problems({})).toEqual([]);
  });

  it('has a separate name, and a secret of one line', () => {
    expect(problems({}, {})).toEqual(['services[1].name: is the name of another service']);
    writeFileSync(join(directory, 'two-lines'), 'one\nX-Evil: 1\n', { mode: 0o600 });
    expect(problems({ inject: { header: { name: 'X-Api-Key', value_file: join(directory, 'two-lines') } } })).toEqual([
      'services[0].inject.header.value_file: must be one line of printable ASCII',
    ]);
  });
});

describe('sockets', () => {
  it('are off by default', () => {
    expect(accepted({}).sockets).toBe(false);
    expect(accepted({ sockets: false, limit: { concurrency: 1 } }).sockets).toBe(false);
    expect(accepted({ sockets: true, inject: { header: { name: 'X-Api-Key', value_file: keyFile } } }).sockets).toBe(true);
  });

  it.each<[object, string]>([
    [{ inject: { query: { name: 'key', value_file: keyFile } } }, 'inject.query, which would be in no handshake'],
    [{ inject: { sigv4: { region: 'eu-west-1', service: 's3' } } }, 'inject.sigv4, which signs calls and no handshake'],
    [{ limit: { bandwidth: '10MB/s' } }, 'limit.bandwidth, which counts and paces calls'],
    [{ limit: { rate: '1/s' } }, 'limit.rate, which counts and paces calls'],
    [{ limit: { per: 'service', concurrency: 1 } }, 'limit.concurrency, which counts and paces calls'],
    [{ balance: 'hash_by_run' }, 'balance: hash_by_run, which holds for calls alone'],
  ])('do not stand beside what cannot hold for them: %j', (service, words) => {
    expect(problems({ ...service, sockets: true })).toEqual([`services[0].sockets: stands beside ${words}`]);
    expect(problems(service)).toEqual([]);
  });
});

describe('the response cache', () => {
  it('has rules, whose paths are patterns', () => {
    expect(accepted({}).cache).toEqual([]);
    expect(accepted({ cache: [{ paths: ['/v1/rates*'], ttl: '60s', stale_if_error: '10m' }] }).cache).toEqual([
      { patterns: ['/v1/rates*'], ttlSeconds: 60, shared: false, staleSeconds: 600, mostBytes: 10_000_000 },
    ]);
    expect(accepted({ cache: [{ paths: ['/a', '/b'], ttl: 'upstream', shared: true, max_answer: '64MB' }] }).cache).toEqual([
      { patterns: ['/a', '/b'], ttlSeconds: null, shared: true, staleSeconds: 0, mostBytes: 64_000_000 },
    ]);
  });

  it.each<[object, string]>([
    [{ paths: [], ttl: '1s' }, 'services[0].cache[0].paths: names no path'],
    [{ paths: ['v1'], ttl: '1s' }, 'services[0].cache[0].paths[0]: is no path'],
    [{ paths: ['/a', '/a'], ttl: '1s' }, 'services[0].cache[0].paths: names /a, which is named already'],
    [{ paths: ['/a'], ttl: '500ms' }, 'services[0].cache[0].ttl: is no whole number of seconds'],
    [{ paths: ['/a'], ttl: '1s', stale_if_error: '1500ms' }, 'services[0].cache[0].stale_if_error: is no whole number of seconds'],
    [{ paths: ['/a'], ttl: '1s', max_answer: '65MB' }, 'services[0].cache[0].max_answer: is more than the cache stores of one answer'],
    [{ paths: ['/a'], ttl: '1s', max_answer: '0kB' }, 'services[0].cache[0].max_answer: '],
    [{ paths: ['/a'], ttl: 'never' }, 'services[0].cache[0].ttl'],
    [{ paths: ['/a'] }, 'services[0].cache[0].ttl'],
  ])('is refused: %j', (rule, words) => expect(problems({ cache: [rule] }).join('\n')).toContain(words));
});

describe('the service of docs/tutorials/one-service.md', () => {
  const text = (more: string): string => {
    const written = `${docsBlock('tutorials/one-service.md', 'policies:')}${more}`
      .replaceAll('/etc/lictor/billing-key', keyFile)
      .replaceAll('/etc/lictor', directory);
    return `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n${written}`;
  };
  const loaded = (more: string) => {
    const file = join(directory, 'lictor.yaml');
    writeFileSync(file, text(more));
    return loadConfig(file, {}, { stateDir: directory });
  };

  it('takes the limit and the cache that the page adds', () => {
    expect(loaded(docsBlock('tutorials/one-service.md', '    limit:'))).toMatchObject({
      ok: true,
      config: {
        services: [
          {
            name: 'billing',
            limit: { per: 'principal', rate: { perSecond: 2, atOnce: 10, waiting: 0 } },
            cache: [{ patterns: ['/v1/rates'], ttlSeconds: 60, shared: true }],
          },
        ],
      },
    });
  });

  it('would be none with a misspelt key', () => {
    expect(loaded(docsBlock('tutorials/one-service.md', '    limit:').replace('ttl:', 'tll:')).ok).toBe(false);
  });
});
