// A real gateway for a test: `lictor up` with nginx and the control plane, its state in a temporary directory.
import { chmodSync, existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { logIn, type Session } from './browser-session.ts';
import { hostFor, runInHost } from './commands/run-command.ts';
import { freePort } from './free-port.ts';
import { endGently, killAll, type Pids, pidsOf } from './gateway-processes.ts';
import { answersSeen, ledgerReadsOn } from './ledger-reads-on.ts';
import { withPatience } from './prefect.ts';
import { alsoShow, type Finished, noteOutput, type Running, run, start, waitFor } from './process.ts';
import { MAIN } from './program.ts';
import { noteCookies, noteSecret, secretsBelow, secretsIn } from './stored-secrets.ts';

export interface GatewayOptions {
  /** The Prefect behind it, or a recorder. */
  readonly upstream: { readonly url: string; readonly authString: string | null };
  /** `/prefect`: a path in public_url. */
  readonly basePath?: string;
  /** Files in PEM, or its own: the gateway then speaks https. */
  readonly tls?: ({ readonly cert: string; readonly key: string } | { readonly self_made: true }) & {
    readonly client_ca?: string;
    readonly client_crl?: string;
  };
  /** Further keys of lictor.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The text of lictor.yaml, instead of one made of `upstream`, `tls` and `config`. The auth string is in `stateDir`/prefect-auth. */
  readonly yaml?: (place: { readonly url: string; readonly stateDir: string }) => string | Promise<string>;
  /** The command line of each start of the gateway; default: the one of all tests. */
  readonly program?: () => string;
  /** Of the supervisor. */
  readonly env?: NodeJS.ProcessEnv;
  /** True: other users may pass through the state directory, as where `lictor up` makes it itself. */
  readonly openStateDir?: boolean;
  /** The state directory is there, and whatever uses it is run by this program (`nsenter ...`), which sees that file system. The configuration stays outside. */
  readonly inside?: { readonly stateDir: string; readonly command: readonly string[] };
}

export interface Token {
  readonly name: string;
  readonly id: string;
  readonly secret: string;
}

export interface Account {
  readonly name: string;
  readonly password: string;
}

export interface Gateway {
  /** `http://localhost:PORT`, with the path of public_url. */
  readonly url: string;
  readonly port: number;
  readonly stateDir: string;
  readonly configFile: string;
  /** Runs `lictor ARGS` against this gateway's state; `audit` when the ledger has read what was answered. */
  lictor(...args: string[]): Promise<Finished>;
  /** The same; throws unless it exits 0. Answers what it printed. */
  lictorOk(...args: string[]): Promise<string>;
  /** `token create`. */
  token(name: string, roles: readonly string[], ...args: string[]): Promise<Token>;
  /** `account add`. */
  account(name: string, role: string, ...args: string[]): Promise<Account>;
  login(account: Account): Promise<Session>;
  /** `fetch` below the gateway's URL: no redirect is followed; asked again while Prefect's database is locked. */
  fetch(path: string, init?: RequestInit & { readonly token?: string; readonly session?: Session }): Promise<Response>;
  /** Process ids that run now. */
  pids(): Pids;
  /** What `lictor up` has printed. */
  terminal(): string;
  /** Resolves when it has printed `text`: a record comes before the words about it. */
  says(text: string): Promise<void>;
  /** Starts it again after `kill` or `stop`; waits until it is ready, or for what is given. */
  up(ready?: () => Promise<boolean>): Promise<void>;
  /** `lictor up --replace`; resolves when the former one has ended. */
  replace(): Promise<void>;
  isReady(): Promise<boolean>;
  /** SIGKILL for everything at once. */
  killAll(): Promise<void>;
  /** SIGTERM, waits for the end. Answers the processes that stayed behind: must be empty. */
  stop(): Promise<readonly number[]>;
  /** `stop`, then the state directory is searched for secrets (it throws if there is one) and removed. */
  close(): Promise<void>;
}

/** Starts a gateway and waits until it is ready. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-state-'));
  const stateDir = options.inside?.stateDir ?? home;
  if (options.openStateDir === true) chmodSync(home, 0o711);
  const url = `${options.tls === undefined ? 'http' : 'https'}://localhost:${port}${options.basePath ?? ''}`;
  const configFile = await writeConfig(home, url, options);
  const env = { PATH: process.env['PATH'], HOME: home, ...options.env };
  const inside = options.inside?.command ?? [];
  const place = () => ({ configFile, stateDir, env, inside, ...(options.program !== undefined && { program: options.program() }) });
  let supervisor: Running;
  const seen = answersSeen();
  const ask = async (path: string, init: Parameters<Gateway['fetch']>[1] = {}): Promise<Response> => {
    const answer = await fetch(`${url}${path}`, { redirect: 'manual', ...init, headers: withCredential(url, init) });
    seen.note(answer);
    return answer;
  };
  const isReady = (): Promise<boolean> => answersOk(`${url}/.lictor/ready`);
  const lictor = async (...args: string[]): Promise<Finished> => {
    if (args[0] === 'audit') {
      await seen.written(stateDir);
      await ledgerReadsOn(stateDir);
    }
    return await runLictor(args, { configFile, stateDir, env, inside });
  };
  const lictorOk = async (...args: string[]): Promise<string> => {
    const finished = await lictor(...args);
    if (finished.code !== 0) throw new Error(`lictor ${args.join(' ')} exited ${finished.code}: ${finished.output}`);
    return finished.output;
  };
  const gateway: Gateway = {
    url,
    port,
    stateDir,
    configFile,
    lictor,
    lictorOk,
    token: async (name, roles, ...args) => parseToken(await lictorOk('token', 'create', name, ...roles.flatMap((role) => ['--role', role]), '--json', ...args)),
    account: async (name, role, ...args) => ({ name, password: passwordIn(await lictorOk('account', 'add', name, '--role', role, '--json', ...args)) }),
    login: (account) => logIn(url, account),
    fetch: (path, init) => withPatience(() => ask(path, init)),
    pids: () => pidsOf(supervisor.pid, stateDir),
    terminal: () => supervisor.output(),
    says: async (text) => void (await waitFor(() => supervisor.output().includes(text), { what: `lictor up to say: ${text}` })),
    up: async (ready = isReady) => {
      supervisor = await start({ ...lictorSpec(['up'], place()), ready, readyTimeoutMs: 90_000 });
    },
    replace: async () => {
      const former = supervisor;
      supervisor = await start({
        ...lictorSpec(['up', '--replace'], place()),
        ready: () => !former.running(),
        readyTimeoutMs: 90_000,
      });
    },
    isReady,
    killAll: () => killAll(supervisor),
    stop: () => endGently(supervisor),
    close: async () => {
      await endGently(supervisor);
      const kept = [...secretsBelow(home), ...secretsIn(supervisor.output()).map((kind) => `lictor up has printed ${kind}`)];
      // A killed one leaves it behind.
      const runtime = join(stateDir, 'run');
      if (existsSync(runtime)) rmSync(realpathSync(runtime), { recursive: true, force: true });
      rmSync(home, { recursive: true, force: true });
      if (kept.length > 0) throw new Error(`secrets are kept:\n${kept.join('\n')}`);
    },
  };
  alsoShow('control.log', join(stateDir, 'log', 'control.log'));
  alsoShow('edge-error.log', join(stateDir, 'log', 'edge-error.log'));
  await gateway.up();
  return gateway;
}

interface Where {
  readonly configFile: string;
  readonly stateDir: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Of the shell that it is started from; default: this process's. */
  readonly umask?: string;
  readonly program?: string;
  /** What runs it. */
  readonly inside?: readonly string[];
}

/** Runs a `lictor` command that needs no gateway. */
export async function runLictor(args: readonly string[], where: Where): Promise<Finished> {
  const spec = { ...lictorSpec(args, where), timeoutMs: 180_000 };
  const host = where.umask === undefined && (where.inside ?? []).length === 0 ? hostFor(args, spec.env) : undefined;
  if (host === undefined) return run(spec);
  const finished = await runInHost(host, { args: wordsOf(args, where), env: spec.env, timeoutMs: spec.timeoutMs });
  noteOutput(spec.name, finished.output);
  return finished;
}

function wordsOf(args: readonly string[], { configFile, stateDir }: Where): readonly string[] {
  return ['-c', configFile, '--state-dir', stateDir, ...args];
}

function lictorSpec(args: readonly string[], where: Where) {
  const { env, umask, inside = [], program = MAIN } = where;
  const command = [...inside, process.execPath, program, ...wordsOf(args, where)];
  const [first = '', ...rest] = umask === undefined ? command : ['sh', '-c', `umask ${umask} && exec "$@"`, 'sh', ...command];
  return {
    name: `lictor ${args.join(' ')}`,
    command: first,
    args: rest,
    env: env ?? { PATH: process.env['PATH'] },
  };
}

async function writeConfig(stateDir: string, url: string, { upstream, tls, config, yaml }: GatewayOptions): Promise<string> {
  const file = join(stateDir, 'lictor.yaml');
  const secret = join(stateDir, 'prefect-auth');
  noteSecret(upstream.authString);
  if (upstream.authString !== null) writeFileSync(secret, `${upstream.authString}\n`, { mode: 0o600 });
  if (yaml !== undefined) {
    writeFileSync(file, await yaml({ url, stateDir }));
    return file;
  }
  const prefect = { url: upstream.url, ...(upstream.authString !== null && { auth_string_file: secret }) };
  const identityProviders = [{ id: 'local', type: 'accounts' }];
  writeFileSync(file, stringify({ public_url: url, prefect, identity_providers: identityProviders, ...(tls !== undefined && { tls }), ...config }));
  return file;
}

/** True for status 200, with any certificate. */
function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    get(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

function withCredential(url: string, init: { readonly headers?: RequestInit['headers']; readonly token?: string; readonly session?: Session }): Headers {
  const headers = new Headers(init.headers);
  if (init.token !== undefined) headers.set('authorization', `Bearer ${init.token}`);
  noteSecret(init.token);
  if (init.session !== undefined) {
    noteCookies(init.session.cookie);
    headers.set('cookie', init.session.cookie);
    if (!headers.has('origin')) headers.set('origin', new URL(url).origin);
  }
  return headers;
}

function parseToken(output: string): Token {
  const { name, id, secret } = lastJson(output);
  if (typeof name !== 'string' || typeof id !== 'string' || typeof secret !== 'string') throw new Error(`no token in: ${output}`);
  return { name, id, secret };
}

function passwordIn(output: string): string {
  const { password } = lastJson(output);
  if (typeof password !== 'string') throw new Error('account add --json printed no password');
  noteSecret(password);
  return password;
}

/** The last line of an output that is a JSON object (standard error may stand before it). */
export function lastJson(output: string): Record<string, unknown> {
  const line = output
    .split('\n')
    .filter((candidate) => candidate.startsWith('{'))
    .at(-1);
  if (line === undefined) throw new Error(`no JSON in: ${output}`);
  const parsed: Record<string, unknown> = JSON.parse(line);
  return parsed;
}

/** Every line of an output that is a JSON object. */
export function jsonLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}
