// `lictor init` before servers as people have them: healthy, and odd in one thing each.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Authority, createAuthority, type Issued } from '../../test/env/authority.ts';
import { freePort } from '../../test/env/free-port.ts';
import { createContext } from './context.ts';
import { AUTH_STRING, CLIENT_SECRET, createWorld, openIdProvider, prefectServer, type World } from './init.fixture.ts';
import { register } from './init.ts';
import { openPrompter } from './prompter.ts';

let authority: Authority;
let foreign: Issued;
let expired: Issued;
let world: World;
let root: string;
let healthy: { readonly prefect: string; readonly issuer: string };
let port: number;

beforeAll(async () => {
  authority = createAuthority();
  foreign = authority.issue({ names: ['localhost'], days: 20 });
  expired = authority.issue({ names: ['prefect.example.com'], days: -1 });
  world = createWorld();
  healthy = { prefect: await world.open(prefectServer()), issuer: await world.open(openIdProvider()) };
  port = await freePort();
});
afterAll(async () => {
  await world.close();
  authority.remove();
});
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-init-'));
  writeFileSync(join(root, 'auth'), `${AUTH_STRING}\n`, { mode: 0o600 });
  writeFileSync(join(root, 'secret'), `${CLIENT_SECRET}\n`, { mode: 0o600 });
  return () => rmSync(root, { recursive: true });
});

type Answers = Readonly<Record<string, unknown>>;

const good = (): Answers => ({
  prefect_url: healthy.prefect,
  auth_string_file: 'auth',
  public_url: `http://localhost:${port}`,
  issuer: healthy.issuer,
  client_id: 'lictor',
  client_secret_file: 'secret',
  admins: ['group:platform'],
});

const out = (): string => join(root, 'out');

async function run(input: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const [printed, err] = [new PassThrough(), new PassThrough()];
  const context = createContext({
    ...{ out: printed, err, cwd: root },
    // No authority: reading those of the system takes long.
    env: { PATH: process.env['PATH'], HOME: root, SSL_CERT_FILE: '/nowhere.pem', ...env },
    wholeProgram: () => Promise.reject(new Error('not here')),
    globalOptions: () => ({ stateDir: join(root, 'state'), config: join(out(), 'lictor.yaml') }),
  });
  const program = new Command().exitOverride();
  register(program, context, Readable.from([input]));
  const error = await program.parseAsync(['init', ...args], { from: 'user' }).then(
    () => '',
    (reason: unknown) => (reason instanceof Error ? reason.message : String(reason)),
  );
  return { error, all: `${String(printed.read() ?? '')}${error}` };
}

async function init(answers: Answers, ...flags: string[]) {
  writeFileSync(join(root, 'answers.yaml'), stringify(answers));
  return await run(
    '',
    ['--answers', 'ANSWERS', ...flags].map((word) => (word === 'ANSWERS' ? join(root, 'answers.yaml') : word)),
  );
}

interface Oddity {
  readonly name: string;
  readonly answers: () => Answers | Promise<Answers>;
  /** What init says: the fault, and its remedy. */
  readonly says: readonly [fault: RegExp, remedy: RegExp];
}

const at = (url: string): Answers => ({ prefect_url: url });
const issuerOf = async (...oddity: Parameters<typeof openIdProvider>): Promise<Answers> => ({ issuer: await world.open(openIdProvider(...oddity)) });
const prefectOf = async (...oddity: Parameters<typeof prefectServer>): Promise<Answers> => at(await world.open(prefectServer(...oddity)));
const wrongWith = (name: string, text: string): void => writeFileSync(join(root, name), `${text}\n`, { mode: 0o600 });

const ODDITIES: readonly Oddity[] = [
  {
    name: 'Prefect below a path',
    answers: async () => at(`${await world.open(prefectServer({ base: '/prefect' }))}/prefect/api`),
    says: [/Prefect's API is below a path/, /PREFECT_SERVER_API_BASE_PATH/],
  },
  {
    name: 'a Prefect UI below another path than public_url',
    answers: () => ({ public_url: `http://localhost:${port}/prefect` }),
    says: [/serves its UI at \/, but public_url has the path/, /PREFECT_UI_SERVE_BASE=\/prefect/],
  },
  {
    name: 'a private authority of Prefect',
    answers: async () => at(await world.open(prefectServer(), foreign)),
    says: [/certificate of Prefect .* is not trusted/, /prefect_ca_file/],
  },
  { name: 'a wrong port', answers: async () => at(`http://127.0.0.1:${await freePort()}`), says: [/cannot be reached: ECONNREFUSED/, /Check that it runs/] },
  { name: 'Prefect 3.4', answers: () => prefectOf({ version: '3.4.25' }), says: [/Prefect 3\.4\.25 has CVE-2026-7723/, /Upgrade Prefect to 3\.6\.14/] },
  { name: 'Prefect 3.6.13', answers: () => prefectOf({ version: '3.6.13' }), says: [/Prefect 3\.6\.13 has CVE-2026-3514/, /Upgrade Prefect to 3\.6\.22/] },
  { name: 'Prefect 2', answers: () => prefectOf({ version: '2.20.3' }), says: [/2\.20\.3 is older than 3\.4\.0/, /Upgrade Prefect/] },
  {
    name: 'a newer Prefect',
    answers: () => prefectOf({ version: '3.99.0', routes: { '/x': { get: { operationId: 'read_x' } } } }),
    says: [/routes of this Prefect are not in the catalogue/, /upgrade Lictor/],
  },
  {
    name: 'in-memory messaging behind two servers',
    answers: async () => ({ prefect_url: [healthy.prefect, await world.open(prefectServer())] }),
    says: [/2 Prefect servers use in-memory messaging/, /Redis/],
  },
  { name: 'a clock of Prefect that is off', answers: () => prefectOf({ offMs: 3_600_000 }), says: [/clock of Prefect is \d+ s ahead/, /NTP/] },
  {
    name: 'a redirect loop',
    answers: async () => at(await world.open((request, response) => response.writeHead(302, { location: request.url ?? '' }).end())),
    says: [/a redirect loop/, /Prefect itself, behind that proxy/],
  },
  {
    name: 'a redirect to https',
    answers: async () => at(await world.open((_request, response) => response.writeHead(301, { location: 'https://prefect.example.com/' }).end())),
    says: [/redirects to https:\/\/prefect\.example\.com/, /behind that proxy/],
  },
  {
    name: 'the login page of another proxy',
    answers: async () => at(await world.open((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><form>'))),
    says: [/answers 200 with a page/, /address of the Prefect server itself/],
  },
  {
    name: 'the password of another proxy',
    answers: async () => at(await world.open((_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic', server: 'nginx' }).end('401'))),
    says: [/not as Prefect does: a proxy stands before Prefect \(by "nginx"\)/, /behind that proxy/],
  },
  {
    name: 'another Lictor',
    answers: async () => at(await world.open((_request, response) => response.writeHead(401).end('{"code":"credential-missing","request_id":"1"}'))),
    says: [/is a Lictor gateway, not Prefect/, /prefect_url of that gateway/],
  },
  {
    name: 'another program',
    answers: async () => at(await world.open((_request, response) => response.writeHead(404).end('{}'))),
    says: [/which is not Prefect/, /a Prefect 3 server/],
  },
  { name: 'Prefect Cloud', answers: () => at('https://api.prefect.cloud/api/accounts/1/workspaces/2'), says: [/is Prefect Cloud/, /your own Prefect servers/] },
  {
    name: 'a wrong auth string',
    answers: () => {
      wrongWith('auth', 'gateway:another-secret');
      return {};
    },
    says: [/rejects the credential \(401\)/, /PREFECT_SERVER_API_AUTH_STRING to auth_string_file/],
  },
  { name: 'no auth string', answers: () => ({ auth_string_file: undefined }), says: [/requires a credential \(401\)/, /name it in auth_string_file/] },
  {
    name: 'an auth string of an example',
    answers: async () => {
      wrongWith('auth', 'admin:pass');
      return at(await world.open(exampleAuth));
    },
    says: [/holds a password that stands in examples/, /token_urlsafe/],
  },
  { name: 'http on a public host', answers: () => ({ public_url: 'http://prefect.example.com' }), says: [/plain http would show every token/, /Write https/] },
  {
    name: "Prefect's own address as public_url",
    answers: () => ({ public_url: healthy.prefect }),
    says: [/is Prefect's own address|where the gateway itself listens/, /another/],
  },
  {
    name: 'a port in use',
    answers: async () => ({ public_url: await world.open((_request, response) => response.writeHead(200, { server: 'caddy' }).end('hi')) }),
    says: [/is taken by "node" \(process \d+\) \(answers as "caddy"\)/, /write another port/],
  },
  {
    name: 'an expired certificate of another name',
    answers: () => ({ public_url: `https://localhost:${port}`, tls: { cert: expired.chain, key: expired.key } }),
    says: [/the certificate expired on[\s\S]*the certificate is not for localhost/, /Renew it/],
  },
  {
    name: 'the key of another certificate',
    answers: () => ({ public_url: `https://localhost:${port}`, tls: { cert: expired.chain, key: foreign.key } }),
    says: [/tls\.key: does not belong to tls\.cert/, /Give the key/],
  },
  { name: 'an issuer without its slash', answers: slashed, says: [/the provider calls itself .*\/, not /, /Write exactly that: issuer: http.*\//] },
  {
    name: 'a provider that is down',
    answers: async () => ({ issuer: `http://localhost:${await freePort()}` }),
    says: [/the provider is away: .*ECONNREFUSED/, /curl http.*openid-configuration/],
  },
  {
    name: 'a provider with an unknown certificate',
    answers: async () => ({ issuer: await world.open(openIdProvider(), foreign) }),
    says: [/certificate of the provider is not trusted/, /issuer_ca_file/],
  },
  { name: 'a page instead of a provider', answers: () => ({ issuer: `${healthy.issuer}/auth` }), says: [/no OpenID Provider is there/, /Keycloak: https/] },
  { name: 'a clock of the provider that is off', answers: () => issuerOf({ offMs: -600_000 }), says: [/clock of corp is \d+ s behind/, /NTP/] },
  {
    name: 'a provider without S256',
    answers: () => issuerOf({ metadata: { code_challenge_methods_supported: ['plain'] } }),
    says: [/does not offer PKCE with S256/, /Turn PKCE/],
  },
  {
    name: 'a public client without S256',
    answers: async () => ({ client_secret_file: undefined, ...(await issuerOf({ metadata: { code_challenge_methods_supported: undefined } })) }),
    says: [/does not offer PKCE with S256/, /client_secret_file/],
  },
  {
    name: 'a client that the provider does not know',
    answers: () => issuerOf({ tokenError: 'invalid_client' }),
    says: [/rejects the client: .*401 invalid_client/, /Check client_id/],
  },
  { name: 'a provider without tokens', answers: () => issuerOf({ metadata: { token_endpoint: undefined } }), says: [/has no token_endpoint/, /Check issuer/] },
  { name: 'an unknown answer', answers: () => ({ public_uri: 'x' }), says: [/Unrecognized key: "public_uri"/, /Nothing was written/] },
  { name: 'an issuer without client', answers: () => ({ client_id: undefined }), says: [/issuer and client_id belong together/, /give both/] },
  { name: 'a missing file', answers: () => ({ auth_string_file: 'nowhere' }), says: [/nowhere cannot be read/, /Create it/] },
];

async function slashed(): Promise<Answers> {
  const issuer = await world.open((request, response) => openIdProvider({ metadata: { issuer: `http://${request.headers.host}/` } })(request, response));
  return { issuer };
}

const exampleAuth: Parameters<World['open']>[0] = (request, response) => {
  const headers = { ...request.headers, authorization: request.headers.authorization && `Basic ${Buffer.from(AUTH_STRING).toString('base64')}` };
  prefectServer()(Object.assign(request, { headers }), response);
};

describe('init before an odd server', () => {
  it.each(ODDITIES)('names $name with its remedy, and writes nothing', async ({ answers, says: [fault, remedy] }) => {
    const { error, all } = await init({ ...good(), ...(await answers()) });
    expect(all).toMatch(fault);
    expect(all).toMatch(remedy);
    expect(error).toContain('othing was written');
    expect(all).not.toMatch(/\n\s+at .*\.ts|secret-of|another-secret/);
    expect(existsSync(out())).toBe(false);
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('has at least 25 of them', () => expect(ODDITIES.length).toBeGreaterThanOrEqual(25));
});

const yaml = (): string => readFileSync(join(out(), 'lictor.yaml'), 'utf8');
const modeOf = (name: string): number => statSync(join(out(), name)).mode & 0o777;

describe('init before healthy servers', () => {
  it('writes a commented lictor.yaml with the roles, and prints three commands', async () => {
    const { error, all } = await init(good());
    expect([error, readdirSync(out())]).toEqual(['', ['lictor.yaml']]);
    expect(all.split('Next:')[1]?.match(/^ {2}lictor (?:up|token create|doctor) .*-c .*lictor\.yaml$/gm)).toHaveLength(3);
    expect(all).toContain("--pool 'pool-a'");
    expect(yaml()).toContain('  - { role: admin, members: [group:platform@corp] }');
    expect(yaml()).toContain(`  auth_string_file: ${join(root, 'auth')}`);
    expect(yaml()).toMatch(/# - \{ role: operator, members: .* scope: \{ tags: \[team-a\] \} \}/);
    expect(existsSync(join(root, 'state'))).toBe(false);
  });

  it('prints the commands of a container image in their order, for the directory of --config', async () => {
    const { prefect_url, auth_string_file, public_url } = good();
    writeFileSync(join(root, 'answers.yaml'), stringify({ prefect_url, auth_string_file, public_url, admins: ['alice'] }));
    const { all } = await run('', ['--answers', join(root, 'answers.yaml')], {
      ...{ LICTOR_COMMAND: 'docker exec lictor lictor', LICTOR_UP: 'docker run --detach --name lictor OPTIONS IMAGE up' },
    });
    const rest = `--state-dir ${join(root, 'state')} -c ${join(out(), 'lictor.yaml')}`;
    expect(all.split('Next:\n')[1]?.split('\n').slice(0, 3)).toEqual([
      `  docker run --detach --name lictor OPTIONS IMAGE up ${rest}`,
      'In another terminal:',
      expect.stringContaining(`  docker exec lictor lictor account add alice --role admin ${rest}`),
    ]);
  });

  it('finds Prefect and its auth string in the active profile, and stores the secret with mode 600', async () => {
    const profile = `active = "prod"\n[profiles.prod]\nPREFECT_API_URL = "${healthy.prefect}/api"\nPREFECT_API_AUTH_STRING = "${AUTH_STRING}"\n`;
    writeFileSync(join(root, 'profiles.toml'), profile);
    writeFileSync(join(root, 'answers.yaml'), stringify({ public_url: `http://localhost:${port}`, admins: ['alice'] }));
    const { error, all } = await run('', ['--answers', join(root, 'answers.yaml')], { PREFECT_PROFILES_PATH: join(root, 'profiles.toml') });
    expect([error, all.includes(AUTH_STRING)]).toEqual(['', false]);
    expect([readFileSync(join(out(), 'prefect-auth'), 'utf8'), modeOf('prefect-auth')]).toEqual([`${AUTH_STRING}\n`, 0o600]);
    expect(yaml()).toContain(`url: ${healthy.prefect}\n  auth_string_file: prefect-auth`);
    expect(all).toMatch(/lictor account add alice --role admin/);
  });

  it('replaces files only with --overwrite, and prints the differences without secrets', async () => {
    expect((await init(good())).error).toBe('');
    const former = yaml();
    expect((await init(good())).error).toBe('');
    const other = { ...good(), admins: ['group:other'] };
    const refused = await init(other);
    expect(refused.error).toContain('Add --overwrite');
    expect(refused.all).toMatch(/^-.*group:platform@corp[\s\S]*^\+.*group:other@corp/m);
    expect(yaml()).toBe(former);
    expect((await init(other, '--overwrite')).error).toBe('');
    expect(yaml()).toContain('group:other@corp');
  });

  it('writes in spite of hints only with --accept-hints', async () => {
    const old = { ...good(), ...(await prefectOf({ version: '3.6.13' })) };
    expect((await init(old)).error).toContain('add --accept-hints');
    expect((await init(old, '--accept-hints')).error).toBe('');
    expect(existsSync(join(out(), 'lictor.yaml'))).toBe(true);
  });

  it('names a provider without groups with its remedy, and writes', async () => {
    const { error, all } = await init({ ...good(), ...(await issuerOf({ metadata: { claims_supported: ['sub'] } })) });
    expect([error, all]).toEqual(['', expect.stringMatching(/names no claim "groups"[\s\S]*lictor whoami shows the groups of a login/)]);
    expect((await init(good(), '--overwrite')).all).not.toContain('names no claim');
  });

  it('names a callback that the provider does not know as a step for later', async () => {
    const { error, all } = await init({ ...good(), ...(await issuerOf({ page: 400 })) });
    expect(error).toBe('');
    expect(all).toMatch(new RegExp(`does not accept the callback http://localhost:${port}/.lictor/callback/corp yet`));
  });
});

describe('init without a terminal', () => {
  const typed = (...last: string[]): string =>
    [healthy.prefect, AUTH_STRING, `http://localhost:${port}`, '1', healthy.issuer, 'lictor', CLIENT_SECRET, ...last].join('\n');

  it('reads one answer from each line, shows the file, and writes after a yes', async () => {
    const { error, all } = await run(typed('group:platform', 'no', 'yes', ''), []);
    expect([error, all.includes(CLIENT_SECRET)]).toEqual(['', false]);
    expect(readdirSync(out()).sort()).toEqual(['client-secret', 'lictor.yaml', 'prefect-auth']);
    expect([modeOf('client-secret'), modeOf('lictor.yaml')]).toEqual([0o600, 0o644]);
    expect(all).toContain(yaml());
  });

  it('says that Lictor makes the certificate of a loopback address', async () => {
    const input = (url: string) => [healthy.prefect, AUTH_STRING, url, '2', 'alice', 'no'].join('\n');
    expect((await run(input(`https://localhost:${port}`), [])).all).toContain('Lictor makes the certificate of localhost.');
    expect((await run(input(`http://localhost:${port}`), [])).all).not.toContain('makes the certificate');
  });

  it.each([
    ['a choice', [`http://localhost:1`, 'alice'], '"How people log in" needs a number from 1 to 2.'],
    ['a number that is no choice', [`http://localhost:1`, '3'], '"How people log in" needs a number from 1 to 2.'],
    ['yes or no', ['http://localhost:1', '2', 'alice', 'alice'], 'needs yes or no.'],
  ])('refuses lines that are not in the order of the questions: %s', async (_what, lines, words) => {
    const answers = lines.map((line) => line.replace('localhost:1', `localhost:${port}`));
    const { error, all } = await run([healthy.prefect, AUTH_STRING, ...answers].join('\n'), []);
    expect(error).toContain(words);
    expect([all.includes(AUTH_STRING), existsSync(out())]).toEqual([false, false]);
  });

  it('asks again for a Prefect that does not answer', async () => {
    const { error, all } = await run(`http://localhost:9\n${typed('group:platform', 'no', 'yes', '')}`, []);
    expect([error, all.match(/Address of the Prefect server/g)?.length]).toEqual(['', 2]);
    expect(all).toContain('cannot be reached');
  });

  it('asks for no secret where the terminal would show it', async () => {
    const stdin = Object.assign(Readable.from([typed('group:platform', 'no', 'yes', '')]), { isTTY: true });
    await expect(openPrompter({ out: new PassThrough() }, stdin)).rejects.toThrow('stty cols 80');
    const out = Object.assign(new PassThrough(), { isTTY: true, columns: 0 });
    await expect(openPrompter({ out }, stdin)).rejects.toThrow('stty cols 80');
  });

  it.each([
    ['a no', typedNo, /^Nothing was written/],
    ['an input that ends', () => healthy.prefect, /The input ended before the last answer/],
  ])('writes nothing after %s', async (_name, input, words) => {
    expect((await run(input(), [])).error).toMatch(words);
    expect(existsSync(out())).toBe(false);
    expect(readdirSync(root).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  function typedNo(): string {
    return typed('group:platform', 'no', 'no', '');
  }
});
