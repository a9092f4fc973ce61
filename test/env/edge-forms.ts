// The forms of a configuration that lead to different nginx configurations.
import type { Config } from '../../src/config/config.ts';

interface EdgeFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** What each form changes in a plain configuration. */
export function edgeForms({ certFile, keyFile, caFile }: EdgeFiles): Readonly<Record<string, Partial<Config>>> {
  const proxied = { terminateTls: true, trusted: ['127.0.0.1', '10.0.0.0/8'] };
  const bare = { apiKey: null, credentialFile: null, next: null, answerTimeoutMs: 55_000 };
  return {
    plain: {},
    tls: { tls: { certFile, keyFile, selfMadeBy: null, client: null }, prefect: { ...bare, servers: ['https://127.0.0.1:4443'], authString: null, caFile } },
    certificates: { tls: { certFile, keyFile, selfMadeBy: null, client: { caFile, crlFile: null } } },
    servers: { prefect: { ...bare, servers: ['http://127.0.0.1:4200', 'http://127.0.0.1:4201'], authString: 'user:not-a-secret', caFile: null } },
    rotating: { prefect: { ...bare, servers: ['http://127.0.0.1:4200'], authString: 'user:not-a-secret', next: 'user:no-secret-either', caFile: null } },
    proxied: { proxies: proxied, forwardHeaders: ['x-team'] },
  };
}

const OAUTH = {
  tokenUrl: 'https://idp.internal/token',
  clientId: 'gateway',
  clientSecret: 'no-real-key',
  clientAuth: 'basic',
  scope: null,
  audience: null,
  caFile: null,
} as const;

/** One with everything over http, one over https. */
export function edgeServices({ certFile, keyFile, caFile }: EdgeFiles): Config['services'] {
  const common = {
    caFile: null,
    certificate: null,
    injected: null,
    timeoutSeconds: 30,
    forwardHeaders: [],
    limit: null,
    cache: [],
    retries: null,
    sockets: false,
    health: null,
    balance: 'round_robin',
  } as const;
  const limit = { per: 'principal', rate: { perSecond: 50, atOnce: 10, waiting: 100 }, concurrency: 20, bandwidth: 10_000_000 } as const;
  return [
    {
      ...{ ...common, name: 'billing', path: '/api', injected: { header: 'X-Api-Key', value: 'no-real-key-$host"\\' }, forwardHeaders: ['x-tenant'], limit },
      servers: [
        { origin: 'http://10.1.0.1:8080', weight: 1, backup: false },
        { origin: 'http://10.1.0.2', weight: 2, backup: false },
        { origin: 'http://[fd00::1]:8080', weight: 1, backup: true },
      ],
      routes: [
        { pattern: '/v1/job:run', methods: ['POST'] },
        { pattern: '/v1/*', methods: ['GET', 'HEAD'] },
      ],
      cache: [
        { patterns: ['/v1/*', '/v1/rates'], ttlSeconds: 60, shared: false, staleSeconds: 600, mostBytes: 10_000_000 },
        { patterns: ['/v1/public/*'], ttlSeconds: null, shared: true, staleSeconds: 0, mostBytes: 10_000_000 },
      ],
    },
    {
      ...{
        ...common,
        name: 'vault',
        path: '',
        caFile,
        certificate: { certFile, keyFile },
        limit: { per: 'service', rate: null, concurrency: 5, bandwidth: null },
      },
      servers: [{ origin: 'https://vault.internal', weight: 1, backup: false }],
      routes: [{ pattern: '/*', methods: ['GET', 'POST'] }],
    },
    {
      ...{
        ...common,
        name: 'looked-after',
        sockets: true,
        balance: 'least_connections',
        path: '',
        cache: [{ patterns: ['/*'], ttlSeconds: 5, shared: true, staleSeconds: 5, mostBytes: 10_000_000 }],
        health: { path: '/health', intervalMs: 1000, unhealthyAfter: 2, healthyAfter: 2 },
      },
      servers: [
        { origin: 'https://a.internal:8443', weight: 2, backup: false },
        { origin: 'https://b.internal:8443', weight: 1, backup: false },
        { origin: 'https://spare.internal:8443', weight: 1, backup: true },
      ],
      routes: [{ pattern: '/*', methods: ['GET', 'POST'] }],
    },
    {
      ...{ ...common, name: 'by-run', balance: 'hash_by_run', path: '' },
      servers: [
        { origin: 'http://10.1.0.4:8080', weight: 9, backup: false },
        { origin: 'http://10.1.0.5:8080', weight: 1, backup: false },
      ],
      routes: [{ pattern: '/*', methods: ['GET', 'POST'] }],
    },
    {
      ...{ ...common, name: 'in-query', path: '', injected: { query: { name: 'key', value: 'no-real-key' } } },
      servers: [{ origin: 'https://10.1.0.6', weight: 1, backup: false }],
      routes: [{ pattern: '/*', methods: ['GET', 'POST'] }],
    },
    {
      ...{
        ...common,
        name: 'signed',
        path: '',
        retries: { attempts: 2, budget: 0.1 },
        injected: { sigv4: { region: 'eu-west-1', service: 's3', profile: null } },
      },
      servers: [
        { origin: 'http://10.1.0.7', weight: 2, backup: false },
        { origin: 'http://10.1.0.8', weight: 1, backup: true },
      ],
      routes: [{ pattern: '/*', methods: ['GET', 'POST'] }],
    },
    {
      ...{ ...common, name: 'tokens', path: '', sockets: true, forwardHeaders: ['x-tenant'], injected: { oauth: OAUTH } },
      servers: [{ origin: 'http://10.1.0.4', weight: 1, backup: false }],
      routes: [{ pattern: '/*', methods: ['GET'] }],
    },
  ];
}
