// The stock Prefect client: its command line and Python flows, in a clean environment, with one carrier of the credential.
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forkedPrefect, WHILE_IMPORTED } from './commands/prefect-host.ts';
import { type Begin, type Finished, type Running, run, start } from './process.ts';
import { MAIN } from './program.ts';

export type CarrierName = 'auth-string' | 'custom-authorization' | 'custom-x-lictor-token' | 'api-key' | 'none';

/** `auth` is the raw auth string of a Prefect without a gateway. */
export type ClientCredential = { readonly carrier: CarrierName; readonly token: string };

export interface StockClient {
  /** Directory with a copy of test/env/flows; every command runs there. */
  readonly project: string;
  /** Runs `prefect ARGS` to its end. */
  prefect(args: readonly string[], timeoutMs?: number): Promise<Finished>;
  /** Starts `prefect ARGS` and leaves it running. */
  startPrefect(args: readonly string[]): Promise<Running>;
  /** Runs `python ARGS` to its end. */
  python(args: readonly string[], timeoutMs?: number): Promise<Finished>;
  startPython(args: readonly string[]): Promise<Running>;
  /** Ends whatever is still running. */
  stop(): Promise<void>;
}

export interface ClientOptions {
  readonly venv: string;
  /** Without `/api`. */
  readonly url: string;
  readonly credential: ClientCredential;
  /** Further settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Arguments of `lictor exec`: every command runs under it. */
  readonly exec?: readonly string[];
  /** True: what is left running, a worker with its flow runs, is a new process, as a user's. Else it is a fork of one that has imported Prefect. */
  readonly ownProcesses?: boolean;
}

/** A client with a separate home directory. It gets only PATH from the caller's environment. */
export function stockClient(options: ClientOptions): StockClient {
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-client-'));
  const project = join(home, 'project');
  cpSync(join(import.meta.dirname, 'flows'), project, { recursive: true });
  const env = clientEnv(options, home);
  const started: Running[] = [];
  const spec = (program: string, args: readonly string[]) => ({
    name: `${options.credential.carrier}: ${program} ${args.join(' ')}`,
    ...underExec(options.exec, join(options.venv, 'bin', program), args),
    env,
    cwd: project,
  });
  const beginShort = async (): Promise<Begin | undefined> => (options.exec === undefined ? forkedPrefect(options.venv, env) : undefined);
  const beginLong = async (): Promise<Begin | undefined> => (options.ownProcesses === true ? undefined : beginShort());
  const isScript = ([script = '']: readonly string[]): boolean => script.endsWith('.py');
  const launch = async (program: string, args: readonly string[], begin?: Begin): Promise<Running> => {
    const running = await start(spec(program, args), begin);
    started.push(running);
    return running;
  };
  return {
    project,
    prefect: async (args, timeoutMs = 200_000) => run({ ...spec('prefect', args), timeoutMs }, await beginShort()),
    startPrefect: async (args) => launch('prefect', args, await beginLong()),
    python: async (args, timeoutMs = 200_000) => run({ ...spec('python', args), timeoutMs }, isScript(args) ? await beginShort() : undefined),
    startPython: async (args) => launch('python', args, isScript(args) ? await beginLong() : undefined),
    stop: async () => {
      await Promise.all(started.map((running) => running.stop()));
    },
  };
}

function underExec(
  exec: readonly string[] | undefined,
  program: string,
  args: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  return exec === undefined ? { command: program, args } : { command: process.execPath, args: [MAIN, 'exec', ...exec, '--', program, ...args] };
}

/** The settings that put a token on the wire, as a user would write them. */
export function carrierSettings({ carrier, token }: ClientCredential): Record<string, string> {
  switch (carrier) {
    case 'auth-string':
      return { PREFECT_API_AUTH_STRING: token.includes(':') ? token : `any:${token}` };
    case 'custom-authorization':
      return { PREFECT_CLIENT_CUSTOM_HEADERS: JSON.stringify({ Authorization: `Bearer ${token}` }) };
    case 'custom-x-lictor-token':
      return { PREFECT_CLIENT_CUSTOM_HEADERS: JSON.stringify({ 'X-Lictor-Token': token }) };
    case 'api-key':
      return { PREFECT_API_KEY: token };
    case 'none':
      return {};
  }
}

/** The whole environment of a stock client whose home is `home`. */
export function clientEnv(options: ClientOptions, home: string): NodeJS.ProcessEnv {
  return {
    PATH: `${join(options.venv, 'bin')}:/usr/local/bin:/usr/bin:/bin`,
    HOME: home,
    PREFECT_HOME: join(home, '.prefect'),
    PREFECT_API_URL: `${options.url}/api`,
    PREFECT_CLI_PROMPT: 'false',
    PREFECT_CLI_COLORS: 'false',
    PREFECT_LOGGING_COLORS: 'false',
    PREFECT_WORKER_QUERY_SECONDS: '2',
    PREFECT_RUNNER_POLL_FREQUENCY: '2',
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    ...WHILE_IMPORTED,
    ...carrierSettings(options.credential),
    ...options.settings,
  };
}
