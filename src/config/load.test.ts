// lictor.yaml: the accepted settings. The loader reports all problems at once, with place and remedy.
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from './load.ts';
import { renderJsonSchema } from './schema/index.ts';
import { openTestFile, SMALLEST } from './test-file.ts';

const REPOSITORY = join(import.meta.dirname, '../..');

const file = openTestFile();
const { directory, accepted, places, problems } = file;
afterAll(() => file.remove());

describe('the published files', () => {
  it('loads the documented example', () => {
    const result = loadConfig(join(REPOSITORY, 'lictor.yaml'), {}, { stateDir: '/state' });
    expect(result).toMatchObject({ ok: true, config: { publicUrl: { origin: 'http://localhost:8200' }, storeAt: '/state/lictor.db' } });
  });

  it('has a JSON Schema that is generated from the code (npm run schema)', () => {
    expect(readFileSync(join(REPOSITORY, 'lictor.schema.json'), 'utf8')).toBe(renderJsonSchema());
  });
});

describe('a small file', () => {
  it('has safe defaults', () => {
    expect(accepted(SMALLEST)).toEqual({
      publicUrl: { origin: 'http://localhost:8200', hostname: 'localhost', port: 8200, secure: false, basePath: '' },
      node: hostname(),
      listen: [{ host: '127.0.0.1', port: 8200 }],
      tls: null,
      proxies: { terminateTls: false, trusted: [] },
      prefect: { servers: ['http://127.0.0.1:4200'], authString: null, apiKey: null, credentialFile: null, next: null, caFile: null, answerTimeoutMs: 55_000 },
      identityProviders: [],
      roles: [],
      policies: null,
      sessions: { idleSeconds: 28_800, absoluteSeconds: 86_400 },
      cliSeconds: 2_592_000,
      limits: [{ kind: 'everyone', name: '', rate: { perSecond: 200, burst: 400 }, concurrency: null }],
      forwardHeaders: [],
      exports: [],
      mode: 'enforce',
      metrics: null,
      agents: [],
      approvals: [],
      services: [],
      forwardProxy: null,
      oauthClients: [],
      oauthClientHosts: [],
      startedByTag: false,
      traces: null,
      ledger: { failClosed: true, retentionSeconds: null },
      scim: [],
      storeAt: '/state/lictor.db',
      storeListen: null,
      shutdownDelaySeconds: 0,
    });
  });

  it('is refused when it is missing, empty or no map', () => {
    expect(loadConfig(join(directory, 'nowhere.yaml'), {}, { stateDir: '/state' })).toMatchObject({ ok: false });
    expect(problems('')).toHaveLength(1);
    expect(problems('- a\n')).toHaveLength(1);
    expect(places('{}')).toEqual(['public_url', 'prefect']);
  });
});

describe('YAML', () => {
  it('refuses duplicate keys with their line', () => {
    expect(problems(`${SMALLEST}public_url: http://localhost:1\n`)).toMatchObject([{ line: 3, message: expect.stringContaining('unique') }]);
  });

  it('survives an alias bomb', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`);
    expect(problems(`a0: &a0 [x]\n${levels.join('\n')}\n`)[0]?.message).toContain('alias');
  });

  it.each(['a: [', 'a: 1\n---\nb: 2\n', 'a: !!js/function "x"\n', '\tpublic_url: x\n'])('refuses %j', (text) => {
    expect(problems(text)[0]?.message).toContain('YAML');
  });

  it('takes no key from an object prototype', () => {
    expect(places(`${SMALLEST}__proto__: { tls: 1 }\nconstructor: 1\n`)).toEqual(['__proto__', 'constructor']);
  });
});

describe('problems', () => {
  it('come all at once, in the order of the file, with lines', () => {
    const found = problems(`public_url: http://example.com
prefect: { url: http://127.0.0.1:4200/api, auth_strin: x }
roles:
  - { role: viewer, members: ["user:x@nowhere"] }
  - role: viewer
    members: ["*@local"]
    scope: { tags: [a] }
sesions: {}
`);
    expect(found.map(({ path, line }) => [path, line])).toEqual([
      ['public_url', 1],
      ['prefect.url', 2],
      ['prefect.auth_strin', 2],
      ['roles[0].members[0]', 4],
      ['roles[1].members[0]', 6],
      ['sesions', 8],
    ]);
    expect(found.at(-1)).toMatchObject({ message: 'unknown key', remedy: 'Did you mean sessions?' });
  });

  it('across the keys of a map are found beside an unknown key', () => {
    const prefect = '{ url: "http://127.0.0.1:4200", servers: ["http://127.0.0.1:4300"], uri: 1 }';
    const found = places(`public_url: http://localhost:8200\nprefect: ${prefect}\nsessions: { idle: 2h, absolute: 1h, idel: 1h }\n`);
    expect(found.toSorted()).toEqual(['prefect.servers', 'prefect.uri', 'sessions.absolute', 'sessions.idel']);
  });

  it('report every item of a list, with any errors in its neighbours', () => {
    const found = places(`${SMALLEST}identity_providers: [{ id: local, type: accounts }]
roles:
  - { role: emperor, members: ["user:x@local"] }
  - { role: viewer, members: ["user:x@nowhere", "bob"] }
  - { members: [] }
  - { role: viewer, members: ["group:x@local"] }
listen: ["127.0.0.1", "127.0.0.1:99999"]
limits: [{ for: "*", rate: fast }]
`);
    expect(found).toEqual([
      'roles[0].role',
      'roles[1].members[0]',
      'roles[1].members[1]',
      'roles[2].role',
      'roles[2].members',
      'roles[3].members[0]',
      'listen[0]',
      'listen[1]',
      'limits[0].rate',
    ]);
  });

  it.each([
    ['', 'is missing'],
    [', ttl: 5', 'has none of the accepted forms'],
    [', ttl: [60s]', 'has none of the accepted forms'],
  ])('name every form that a key takes: {%s}', (ttl, message) => {
    const text = `${SMALLEST}services: [{ name: rates, servers: ["http://127.0.0.1:1"], allow: [{ paths: ["/a"] }], cache: [{ paths: ["/a"]${ttl} }] }]\n`;
    expect(problems(text)).toContainEqual(
      expect.objectContaining({ path: 'services[0].cache[0].ttl', message, remedy: expect.stringMatching(/60s.*upstream/) }),
    );
  });

  it('name a path that nginx would expand', () => {
    expect(problems('public_url: https://x.example\nprefect: { url: "http://127.0.0.1:4200" }\ntls: { cert: a$host.pem, key: b.pem }\n')).toMatchObject([
      { path: 'tls.cert', message: expect.stringContaining('holds a $') },
    ]);
  });
});

describe('public_url and listen', () => {
  const withUrl = (url: string, rest = '') => `public_url: ${JSON.stringify(url)}\nprefect: { url: "http://127.0.0.1:4200" }\n${rest}`;

  it.each(['http://localhost:8200', 'http://127.0.0.1:80', 'http://[::1]:8200', 'http://lictor.localhost:8200/'])('takes plain http on loopback: %s', (url) => {
    expect(accepted(withUrl(url)).publicUrl.secure).toBe(false);
  });

  it.each([
    ['http://lictor.localhost:8200', '127.0.0.1'],
    ['http://127.0.0.2:8200', '127.0.0.2'],
    ['http://[::1]:8200', '[::1]'],
  ])('listens where %s leads', (url, host) => {
    expect(accepted(withUrl(url)).listen).toEqual([{ host, port: 8200 }]);
  });

  it.each([
    'http://prefect.example.com',
    'http://localhost.example.com',
    'http://127.0.0.1.example.com',
    'http://0.0.0.0:8200',
    'https://user:pw@example.com',
    'https://example.com/?a=b',
    'https://example.com/#x',
    'https://exa mple.com',
    'https://example.com";return 200;#',
    'https://$host',
    'https://example.com:0',
    'https://example.com:99999',
    'ftp://example.com',
    'https://münchen.example',
  ])('refuses %s', (url) => {
    expect(places(withUrl(url))).toContain('public_url');
  });

  it.each([
    ['http://localhost:8200/prefect', '/prefect'],
    ['http://localhost:8200/prefect/', '/prefect'],
    ['http://localhost:8200/Tools/prefect-3.9_x', '/Tools/prefect-3.9_x'],
    ['http://localhost:8200/', ''],
  ])('takes a path: %s', (url, basePath) => {
    expect(accepted(withUrl(url)).publicUrl).toMatchObject({ origin: 'http://localhost:8200', basePath });
  });

  it.each([
    'http://localhost:8200//prefect',
    'http://localhost:8200/prefect//',
    'http://localhost:8200/a//b',
    'http://localhost:8200/./prefect',
    'http://localhost:8200/a/../prefect',
    'http://localhost:8200/..',
    'http://localhost:8200/.lictor',
    'http://localhost:8200/%70refect',
    'http://localhost:8200/pre fect',
    'http://localhost:8200/prefect;x',
    'http://localhost:8200/$uri',
    'http://localhost:8200/(a)',
    'http://localhost:8200/pré',
    'http://localhost:8200/api',
    'http://localhost:8200/API/x',
    'http://localhost:8200/docs/x',
    'http://localhost:8200/prefect/v2',
  ])('refuses the path of %s', (url) => {
    expect(places(withUrl(url))).toEqual(['public_url']);
  });

  it('wants a certificate for https, and none for http', () => {
    expect(problems(withUrl('https://prefect.example.com'))).toMatchObject([{ path: 'tls', message: expect.stringContaining('is missing') }]);
    expect(places(withUrl('http://localhost:8200', 'tls: { cert: a, key: b }\n'))).toContain('tls');
  });

  it('reads lists and IPv6', () => {
    expect(accepted(`${SMALLEST}listen: [127.0.0.1:8200, "[::1]:8200"]\n`).listen).toEqual([
      { host: '127.0.0.1', port: 8200 },
      { host: '[::1]', port: 8200 },
    ]);
  });

  it.each(['8200', '0.0.0.0:0', '0.0.0.0:65536', 'example.com:80', '"::1:80"', '"[::g]:80"', '["1.2.3.4:80", "1.2.3.4:80"]', '"a;b:80"', '[]'])(
    'refuses listen: %s',
    (listen) => {
      expect(problems(`${SMALLEST}listen: ${listen}\n`)).toHaveLength(1);
    },
  );

  it('refuses to be its own upstream', () => {
    expect(places('public_url: http://localhost:8200\nprefect: { url: http://localhost:8200 }\n')).toEqual(['prefect.url']);
  });
});

describe('the environment', () => {
  it('fills any value once, and says which name is not set', () => {
    const text = 'public_url: "http://localhost:${PORT}"\nprefect: { url: "http://127.0.0.1:4200" }\n';
    expect(accepted(text, { PORT: '9000' }).publicUrl.port).toBe(9000);
    expect(problems(text)).toMatchObject([{ path: 'public_url', message: expect.stringContaining('PORT is not set') }]);
    expect(places(text, { PORT: '${HOME}' })).toEqual(['public_url']);
    expect(places(text.replace('PORT', 'A B'))).toEqual(['public_url']);
  });
});

describe('identities, limits and the small sections', () => {
  it('takes members of every built form', () => {
    const text = `${SMALLEST}identity_providers: [{ id: local, type: accounts }]\nroles: [{ role: operator, members: ["user:bob@local", "token:etl-worker", "*@local"] }]\n`;
    expect(accepted(text).roles).toEqual([{ role: 'operator', members: ['user:bob@local', 'token:etl-worker', '*@local'], scope: null }]);
  });

  it('takes a scope with every key', () => {
    const keys =
      'tags: [a], work_pools: [p], deployments: ["etl/*"], flows: [f], variables: ["v*"], blocks: [b], automations: [c], concurrency_limits: [d], own: true';
    expect(accepted(`${SMALLEST}roles: [{ role: operator, members: ["token:x"], scope: { ${keys} } }]\n`).roles[0]?.scope).toEqual({
      ...{
        tags: ['a'],
        workPools: ['p'],
        deployments: ['etl/*'],
        flows: ['f'],
        variables: ['v*'],
        blocks: ['b'],
        automations: ['c'],
        concurrencyLimits: ['d'],
      },
      own: true,
    });
  });

  it.each(['{}', '{ own: false }', '{ tags: [] }', '{ deployments: [etl] }', '{ flows: ["a*b"] }'])('refuses the scope %s', (scope) => {
    expect(places(`${SMALLEST}roles: [{ role: operator, members: ["token:x"], scope: ${scope} }]\n`)).toEqual(['roles[0].scope']);
  });

  it.each(['bob', 'user:bob', '@local', '*', 'user:@local', 'token:', 'user:bob@elsewhere'])('refuses the member %j', (member) => {
    const text = `${SMALLEST}identity_providers: [{ id: local, type: accounts }]\nroles: [{ role: viewer, members: [${JSON.stringify(member)}] }]\n`;
    expect(places(text)).toEqual(['roles[0].members[0]']);
  });

  it.each([
    ['identity_providers: [{ id: a, type: accounts }, { id: a, type: accounts }]', 'identity_providers[1].id'],
    ['identity_providers: [{ id: a, type: accounts }, { id: b, type: accounts }]', 'identity_providers'],
    ['identity_providers: [{ id: "A b", type: accounts }]', 'identity_providers[0].id'],
    ['identity_providers: [{ id: a, type: account }]', 'identity_providers[0].type'],
    ['roles: [{ role: root, members: ["token:a"] }]', 'roles[0].role'],
    ['roles: [{ role: viewer, members: [] }]', 'roles[0].members'],
    ['sessions: { idle: 2h, absolute: 1h }', 'sessions.absolute'],
    ['sessions: { idle: 500ms }', 'sessions.idle'],
    ['sessions: { cli: 500ms }', 'sessions.cli'],
    ['sessions: { idle: 8 }', 'sessions.idle'],
    ['limits: [{ for: "*", rate: 5/m }]', 'limits[0].rate'],
    ['limits: [{ for: "*" }]', 'limits[0]'],
    ['limits: [{ for: "*", burst: 5 }]', 'limits[0].burst'],
    ['limits: [{ for: "*", rate: 5/s }, { for: "*", rate: 6/s }]', 'limits[1]'],
    ['forward_headers: ["X-A;x"]', 'forward_headers[0]'],
    ['forward_headers: [Cookie]', 'forward_headers[0]'],
    ['forward_headers: [X-Lictor-In-Session]', 'forward_headers[0]'],
    ['forward_headers: [Prefect-Automation-Id]', 'forward_headers[0]'],
    ['forward_headers: [Transfer-Encoding]', 'forward_headers[0]'],
    ['ledger: { fail_closed: "yes" }', 'ledger.fail_closed'],
    ['store: lictor.db', 'store'],
    ['store: "sqlite::memory:"', 'store'],
  ])('refuses %s', (line, path) => {
    expect(places(`${SMALLEST}${line}\n`)).toContain(path);
  });

  it('reports a session length in the wrong form once', () => {
    expect(places(`${SMALLEST}sessions: { idle: 30x }\n`)).toEqual(['sessions.idle']);
  });

  it.each([
    ['services: [{ name: a, servers: [http://10.0.0.1], timeout: T }]', 'services[0].timeout'],
    ['services: [{ name: a, servers: [http://10.0.0.1], health: { path: /health, interval: T } }]', 'services[0].health.interval'],
    ['ledger: { export: [{ type: otlp, url: http://10.0.0.1:4318, timeout: T }] }', 'ledger.export[0].timeout'],
    ['traces: { url: http://10.0.0.1:4318, timeout: T }', 'traces.timeout'],
  ])('refuses a duration that no timer can hold: %s', (line, path) => {
    expect(problems(`${SMALLEST}${line.replace('T', '25d')}\n`)).toMatchObject([{ path, message: 'is longer than 24 days', remedy: 'Write at most 24d.' }]);
    accepted(`${SMALLEST}${line.replace('T', '24d')}\n`);
  });

  it('reads limits and headers', () => {
    expect(accepted(`${SMALLEST}limits: [{ for: "*", rate: 50/s, burst: 60 }]\nforward_headers: [X-Team, x-team]\n`)).toMatchObject({
      limits: [{ kind: 'everyone', rate: { perSecond: 50, burst: 60 } }],
      forwardHeaders: ['x-team'],
    });
  });
});
