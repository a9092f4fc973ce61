// Runs `lictor doctor --json` against a gateway whose surroundings a test has spoilt.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { parse, stringify } from 'yaml';
import { main } from '../../../src/cli/main.ts';
import { type Gateway, lastJson } from '../../env/gateway.ts';
import { runInOwnMounts } from '../../env/own-mounts.ts';

export interface Line {
  readonly group: string;
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly remedy: string | null;
  /** Only with --deep. */
  readonly code?: string;
}

export interface Diagnosis {
  readonly exit: number | null;
  readonly ok: boolean;
  /** Everything that was printed. */
  readonly output: string;
  readonly lines: readonly Line[];
  /** Messages of the lines that say FAIL. */
  readonly failures: readonly string[];
}

export interface Planted {
  /** Laid over the gateway's own configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly stateDir?: string;
  /** Shell commands that mount what only this doctor sees. */
  readonly mounts?: string;
}

/** Named, so that apt is not asked every time whether the distribution has a newer one. */
export const NGINX = { LICTOR_NGINX: execFileSync('sh', ['-c', 'PATH="$PATH:/usr/sbin" command -v nginx'], { encoding: 'utf8' }).trim() };

/** The command line itself, in this process: fifty starts of Node would take most of the time. */
export async function diagnose(gateway: Pick<Gateway, 'configFile' | 'stateDir'>, planted: Planted = {}, more: readonly string[] = []): Promise<Diagnosis> {
  const configFile = join(gateway.stateDir, 'doctor.yaml');
  const base: unknown = parse(readFileSync(gateway.configFile, 'utf8'));
  writeFileSync(configFile, stringify({ ...(typeof base === 'object' ? base : {}), ...planted.config }));
  const args = ['doctor', '--json', ...more, '-c', configFile, '--state-dir', planted.stateDir ?? gateway.stateDir];
  const env = { PATH: process.env['PATH'], ...NGINX, ...planted.env };
  return diagnosisOf(planted.mounts === undefined ? await inProcess(args, env) : await runInOwnMounts(planted.mounts, args, env));
}

/** What doctor has printed with --json. */
export function diagnosisOf({ code, output }: { readonly code: number | null; readonly output: string }): Diagnosis {
  const { ok, findings } = lastJson(output);
  const lines: readonly Line[] = Array.isArray(findings) ? findings : [];
  return { exit: code, ok: ok === true, output, lines, failures: lines.filter(({ status }) => status === 'fail').map(({ message }) => message) };
}

/** `group/check` of what fails, sorted, each once, without those that do not matter. */
export function failing({ lines }: Diagnosis, besides: readonly string[] = []): readonly string[] {
  const names = lines.filter(({ status }) => status === 'fail').map(({ group, check }) => `${group}/${check}`);
  return [...new Set(names)].filter((name) => !besides.includes(name)).sort();
}

/** A busy machine makes a healthy Prefect slow enough to be named too, so doctor looks up to three times until it names exactly these. */
export async function lookFor([fails, besides = []]: readonly (readonly string[])[], look: () => Promise<Diagnosis>): Promise<Diagnosis> {
  const wanted = [...(fails ?? [])].sort().join();
  for (let more = 2; ; more -= 1) {
    const found = await look();
    if (more === 0 || failing(found, besides).join() === wanted) return found;
  }
}

/** The lines of one check. */
export function linesOf(diagnosis: Diagnosis, group: string, check: string): readonly Line[] {
  return diagnosis.lines.filter((line) => line.group === group && line.check === check);
}

async function inProcess(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ readonly code: number; readonly output: string }> {
  let output = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });
  // No other program asks with the token of this doctor, so the rounds of a sweep need no time between them.
  const pause = async (): Promise<void> => undefined;
  const code = await main({ args, out: stream, err: stream, env, cwd: process.cwd(), pause });
  return { code, output };
}
