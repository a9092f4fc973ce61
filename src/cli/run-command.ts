// Runs a program to its end for a command, and collects its output, prints it, or both.
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { Environment } from '../config/load.ts';

export interface RunOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Environment;
  readonly cwd?: string;
  /** Prints the output here immediately. Left out: it is only collected. */
  readonly show?: Writable;
}

export interface RunResult {
  /** Null: a signal ended the program, or it could not start. */
  readonly status: number | null;
  /** Standard output and error in their order, at most the last 256 KiB. */
  readonly output: string;
}

const KEPT_CHARACTERS = 262_144;

/** Never rejects: a program that cannot start has status null, and its output has the cause. */
export function runCommand({ command, args, env, cwd, show }: RunOptions): Promise<RunResult> {
  return new Promise((resolve) => {
    let output = '';
    const keep = (text: string) => {
      output = (output + text).slice(-KEPT_CHARACTERS);
      show?.write(text);
    };
    const child = spawn(command, [...args], { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'], ...(cwd === undefined ? {} : { cwd }) });
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('error', (error) => {
      keep(`${command}: ${error.message}\n`);
      resolve({ status: null, output });
    });
    child.on('close', (status) => resolve({ status, output }));
  });
}
