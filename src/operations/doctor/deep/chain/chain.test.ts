// Every fault that a proxy in between can plant: `doctor --deep` names exactly that one, with its remedy.
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../finding.ts';
import { probe } from '../../outside/http-probe.ts';
import { attemptSocket } from '../../outside/sockets.ts';
import { runChecks } from '../../run-checks.ts';
import { type DeepCode, REMEDIES } from '../codes.ts';
import { upload } from './bodies.ts';
import { chainChecks } from './checks.ts';
import { type Answered, type Asked, page, type Spoiled, startFakeGateway } from './gateway.fixture.ts';

const TOKEN = 'lct_doctor';

interface Fault extends Spoiled {
  readonly finds: readonly DeepCode[];
  readonly status?: 'warn';
  readonly says?: RegExp;
  readonly basePath?: string;
  readonly secure?: boolean;
  readonly trusted?: readonly string[];
  readonly holdMs?: number;
  /** What answers at the same host without TLS. */
  readonly plain?: { readonly status: number; readonly location?: string };
}

/** The findings that are not ok, each once. */
async function examine({ basePath = '', secure = false, trusted = [], holdMs, plain, ...spoiled }: Omit<Fault, 'finds'>): Promise<readonly Finding[]> {
  const gateway = await startFakeGateway({ ...spoiled, basePath, secure, token: TOKEN });
  const real = `http://localhost:${gateway.port}`;
  const origin = secure ? 'https://gateway.example' : real;
  const publicUrl = { origin, hostname: new URL(origin).hostname, port: gateway.port, secure, basePath };
  const [withoutTls, attempted] = [`http://gateway.example`, (url: string) => url.replace(/^wss:\/\/gateway\.example/, real.replace('http', 'ws'))];
  const checks = chainChecks({
    chain: {
      publicUrl,
      token: TOKEN,
      tls: { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined },
      async probe(request) {
        if (request.url.startsWith(withoutTls)) return plain === undefined ? { ok: false, error: 'ECONNREFUSED' } : answered(plain);
        return probe({ ...request, url: request.url.replace(origin, real), headers: { ...request.headers, host: new URL(origin).host } });
      },
    },
    ...{ trusted, accessLog: gateway.accessLog, returnTo: gateway.returnTo, plainUrl: withoutTls, ...(holdMs !== undefined && { holdMs }) },
    send: (url, wait) => upload(url.replace(origin, real), wait),
    attempt: (options) => attemptSocket({ ...options, url: attempted(options.url) }),
  });
  const found = await runChecks(checks).finally(gateway.close);
  return found.filter(({ status }) => status !== 'ok');
}

function answered({ status, location }: NonNullable<Fault['plain']>) {
  return { ok: true, status, headers: location === undefined ? {} : { location }, body: '', atMs: 0, setCookies: [], localAddress: '' } as const;
}

const without =
  (name: string, only: (asked: Asked) => boolean = () => true) =>
  (asked: Asked): Asked =>
    only(asked) ? { ...asked, headers: Object.fromEntries(Object.entries(asked.headers).filter(([key]) => key !== name)) } : asked;
const withHeader =
  (name: string, value: string, only: (asked: Asked) => boolean = () => true) =>
  (asked: Asked): Asked =>
    only(asked) ? { ...asked, headers: { ...asked.headers, [name]: value } } : asked;
const lacking =
  (name: string) =>
  (own: Answered): Answered => ({ ...own, headers: Object.fromEntries(Object.entries(own.headers).filter(([key]) => key !== name)) });
const cookie =
  (change: (text: string) => string) =>
  (own: Answered): Answered => {
    const given = own.headers['set-cookie'];
    return given === undefined ? own : { ...own, headers: { ...own.headers, 'set-cookie': [given].flat().map(change) } };
  };
const moved =
  (change: (location: string) => string) =>
  (own: Answered): Answered =>
    own.headers['location'] === undefined ? own : { ...own, headers: { ...own.headers, location: change(String(own.headers['location'])) } };
const isSocket = ({ isSocket }: Asked): boolean => isSocket;
const isHttp = (asked: Asked): boolean => !isSocket(asked);
const size = ({ headers }: Asked): number => Object.values(headers).join().length;

const PLAIN = ['host', 'connection', 'x-lictor-token'];

/** A cache that takes the answers to these requests for the same. */
function cache(key: (asked: Asked) => string | undefined): NonNullable<Spoiled['answer']> {
  const stored = new Map<string, Answered>();
  return (own, asked) => {
    const name = key(asked);
    if (name === undefined || own.status !== 200) return (name === undefined ? undefined : stored.get(name)) ?? own;
    const former = stored.get(name);
    stored.set(name, former ?? own);
    return former ?? own;
  };
}

const FAULTS: readonly Fault[] = [
  { finds: ['host-changed'], request: withHeader('host', 'prefect.internal:8200') },
  { finds: ['prefix-stripped'], basePath: '/prefect', request: (asked) => ({ ...asked, target: asked.target.replace('/prefect', '') }) },
  { finds: ['authorization-lost', 'authorization-lost'], request: without('authorization') },
  { finds: ['token-header-lost'], request: without('x-lictor-token', isHttp), says: /X-Lictor-Token does not arrive/ },
  { finds: ['cookie-lost'], request: without('cookie', isHttp) },
  { finds: ['origin-lost'], request: without('origin', isHttp) },
  {
    finds: ['origin-replaced'],
    request: (asked) => (asked.headers['origin'] === undefined || isSocket(asked) ? asked : withHeader('origin', `http://${asked.headers['host']}`)(asked)),
  },
  {
    finds: ['path-rewritten'],
    request: (asked) => ({ ...asked, target: asked.target.replace(/%2F/, '/').replace(/\/\/+/, '/') }),
    says: /lictor-doctor arrives as another path/,
  },
  { finds: ['method-blocked'], instead: ({ method }) => (method === 'PATCH' ? page(405) : undefined), says: /^PATCH do not arrive/ },
  { finds: ['target-limited'], instead: ({ target }) => (target.length > 4096 ? page(414) : undefined), says: /414 text\/html/ },
  { finds: ['header-limited'], instead: (asked) => (size(asked) > 4096 ? page(400) : undefined) },
  { finds: ['metadata-lost'], basePath: '/prefect', instead: ({ target }) => (target.startsWith('/prefect') ? undefined : page(404)) },
  { finds: ['error-replaced'], answer: (own) => (own.status === 404 ? page(404) : own) },
  { finds: ['request-id-lost'], answer: lacking('x-request-id') },
  { finds: ['answer-headers-lost'], answer: lacking('www-authenticate') },
  { finds: ['page-headers-lost'], answer: lacking('content-security-policy') },
  { finds: ['answers-cached'], answer: cache(({ method, target }) => (method === 'GET' && target.endsWith('/health') ? target : undefined)) },
  {
    finds: ['answers-shared'],
    answer: cache(({ headers, target }) =>
      target === '/api/admin/version' && Object.keys(headers).every((name) => PLAIN.includes(name)) ? target : undefined,
    ),
  },
  { finds: ['cross-origin-opened'], answer: (own) => ({ ...own, headers: { ...own.headers, 'access-control-allow-origin': '*' } }) },
  { finds: ['body-limited'], instead: ({ headers }) => (Number(headers['content-length'] ?? 0) > 1_048_576 ? page(413) : undefined) },
  { finds: ['body-limited'], cuts: ({ headers }) => Number(headers['content-length'] ?? 0) > 1_048_576, says: /ends the request with a body of 5 MiB/ },
  { finds: ['body-buffered'], readsBodies: true, holdMs: 50, status: 'warn' },
  { finds: ['body-limited'], readsBodies: true, holdMs: 50, instead: ({ body }) => (body.length > 1_048_576 ? page(413) : undefined) },
  { finds: ['body-filtered'], instead: ({ body }) => (body.includes('<script>') ? page(403) : undefined), says: /by its text: 403 text\/html/ },
  { finds: ['address-forged'], recorded: ({ headers }) => headers['x-forwarded-for'] ?? '127.0.0.2' },
  { finds: ['address-forged'], trusted: ['127.0.0.0/8'], recorded: ({ headers }) => headers['x-forwarded-for'] ?? '127.0.0.1', status: 'warn' },
  { finds: ['address-hidden'], trusted: ['10.0.0.0/8'], recorded: () => '10.0.0.9', says: /records 10\.0\.0\.9, a proxy, instead of the client 127\.0\.0\.2/ },
  { finds: ['proxy-untrusted'], recorded: () => '10.0.0.9', status: 'warn' },
  { finds: ['login-redirect-lost'], answer: (own) => (own.status === 302 ? page(200) : own) },
  { finds: ['redirect-elsewhere'], answer: moved((location) => `http://prefect.internal:8200${location}`), says: /leads to http:\/\/prefect\.internal:8200/ },
  { finds: ['redirect-prefix-lost'], basePath: '/prefect', answer: moved((location) => location.replace('/prefect', '')) },
  { finds: ['return-path-lost'], request: (asked) => ({ ...asked, target: asked.target.replace(/&state=a$/, '') }) },
  { finds: ['cookie-removed'], answer: lacking('set-cookie') },
  { finds: ['cookie-insecure'], secure: true, answer: cookie((text) => text.replace('; Secure', '')) },
  { finds: ['cookie-readable'], answer: cookie((text) => text.replace('; HttpOnly', '')) },
  { finds: ['cookie-same-site'], answer: cookie((text) => text.replace('SameSite=Lax', 'SameSite=None')), says: /SameSite=None/ },
  { finds: ['cookie-domain'], answer: cookie((text) => `${text}; Domain=example`) },
  { finds: ['cookie-path'], basePath: '/prefect', answer: cookie((text) => text.replace('Path=/prefect/', 'Path=/')) },
  { finds: ['plain-http-served'], secure: true, plain: { status: 200 } },
  { finds: ['plain-http-elsewhere'], secure: true, plain: { status: 301, location: 'https://www.example/' } },
  { finds: Array.from({ length: 5 }, () => 'socket-cookie-lost' as const), request: without('cookie', isSocket) },
  { finds: Array.from({ length: 5 }, () => 'socket-origin-lost' as const), request: without('origin', isSocket) },
  {
    finds: Array.from({ length: 5 }, () => 'socket-origin-replaced' as const),
    request: (asked) => (isSocket(asked) ? withHeader('origin', `http://${asked.headers['host']}`)(asked) : asked),
  },
];

describe('a chain that passes everything', () => {
  it.each([{ basePath: '' }, { basePath: '/prefect' }, { secure: true }, { secure: true, plain: { status: 301, location: 'https://gateway.example/' } }])(
    'has no finding: %j',
    async (options) => expect(await examine(options)).toEqual([]),
  );
});

describe('a fault of a proxy is named, and nothing else:', () => {
  it.each(FAULTS.map((fault, index) => [`${fault.finds[0]} (${index})`, fault] as const))('%s', async (_name, { finds, status, says, ...planted }) => {
    const found = await examine(planted);
    expect(found.map(({ code }) => code)).toEqual(finds);
    for (const { code, remedy, message, ...finding } of found) {
      expect(finding.status).toBe(status ?? 'fail');
      expect(remedy).toBe(REMEDIES[code as DeepCode]);
      expect(message).toMatch(says ?? /\w+ \w+/);
      expect(message).not.toContain(TOKEN);
    }
  });

  it('there are at least thirty', () => expect(new Set(FAULTS.flatMap(({ finds }) => finds)).size).toBeGreaterThanOrEqual(30));
});
