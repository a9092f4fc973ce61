// Runs `lictor doctor --json` against a gateway, with a configuration that a test has spoilt.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type Gateway, lastJson, runLictor } from '../../env/gateway.ts';

export interface Line {
  readonly group: string;
  readonly check: string;
  readonly status: string;
  readonly message: string;
  readonly remedy: string | null;
}

export interface Diagnosis {
  readonly exit: number | null;
  readonly ok: boolean;
  readonly lines: readonly Line[];
  /** Messages of the lines that say FAIL. */
  readonly failures: readonly string[];
}

export interface Planted {
  /** Laid over the gateway's own configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: NodeJS.ProcessEnv;
  readonly stateDir?: string;
}

export async function diagnose(gateway: Pick<Gateway, 'configFile' | 'stateDir'>, planted: Planted = {}): Promise<Diagnosis> {
  const configFile = join(gateway.stateDir, 'doctor.yaml');
  const base: unknown = parse(readFileSync(gateway.configFile, 'utf8'));
  writeFileSync(configFile, stringify({ ...(typeof base === 'object' ? base : {}), ...planted.config }));
  const stateDir = planted.stateDir ?? gateway.stateDir;
  const finished = await runLictor(['doctor', '--json'], { configFile, stateDir, env: { PATH: process.env['PATH'], ...planted.env } });
  const { ok, findings } = lastJson(finished.output);
  const lines: readonly Line[] = Array.isArray(findings) ? findings : [];
  return { exit: finished.code, ok: ok === true, lines, failures: lines.filter(({ status }) => status === 'fail').map(({ message }) => message) };
}

/** The lines of one check. */
export function linesOf(diagnosis: Diagnosis, group: string, check: string): readonly Line[] {
  return diagnosis.lines.filter((line) => line.group === group && line.check === check);
}
