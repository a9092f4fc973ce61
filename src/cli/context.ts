// The context of every command: its streams, and the configuration and state directory, which it resolves on demand.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Pause } from '../authorization/decide/sweep.ts';
import type { Config } from '../config/config.ts';
import { type Environment, loadConfig } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import { prepareStateDir } from '../config/runtime-dir.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { assertStateOurs } from '../config/state-owner.ts';
import { shownAddress } from '../contract/store-address.ts';
import { storeExists } from '../store/rows.ts';
import { CommandFailed } from './errors.ts';
import { type Operator, operatorOf } from './operator.ts';

export interface LoadedContext {
  readonly config: Config;
  readonly paths: StatePaths;
  /** Absolute. */
  readonly configFile: string;
  readonly operator: Operator;
}

export interface CliContext {
  readonly out: Writable;
  readonly err: Writable;
  readonly env: Environment;
  /** Between two rounds of a sweep; default: waits. */
  readonly pause?: Pause | undefined;
  /** Absolute; `--state-dir`, else `.lictor` in the working directory. This does not create it. */
  stateDir(): string;
  /** Absolute; `--config`, else ./lictor.yaml, else lictor.yaml in the state directory. It may be missing. */
  configFile(): string;
  /** A command line for this program, state directory and file, for a person to paste. */
  commandLine(words: string, configFile: string): string;
  /** The same for the command that starts the gateway: for a container image, it is not one of this program. */
  startLine(configFile: string): string;
  /** The program with every command registered, for completion. */
  wholeProgram(): Promise<Command>;
  /**
   * Loads the configuration and prepares the state directory; throws CommandFailed with every problem in its message.
   * Secrets are read only on request (else `authString: null`), because a break-glass command must not need them.
   * With `store: 'existing'` it throws CommandFailed if there is no store, and creates nothing.
   */
  loadContext(options?: LoadOptions): Promise<LoadedContext>;
}

export interface LoadOptions {
  readonly secrets: 'read' | 'skip';
  readonly store?: 'existing' | 'any';
}

/** The options of every command. */
export interface GlobalOptions {
  readonly config?: string | undefined;
  readonly stateDir?: string | undefined;
}

export interface ContextParts {
  readonly out: Writable;
  readonly err: Writable;
  readonly env: Environment;
  readonly cwd: string;
  readonly pause?: Pause | undefined;
  /** Called when a command runs, after the command line is parsed. */
  readonly globalOptions: () => GlobalOptions;
  readonly wholeProgram: () => Promise<Command>;
}

export function createContext(parts: ContextParts): CliContext {
  const { out, err, env, cwd, pause, globalOptions, wholeProgram } = parts;
  const stateDir = () => resolve(cwd, globalOptions().stateDir ?? '.lictor');
  let isWarned = false;
  const configFile = () => {
    const { file, unused } = chooseConfigFile(cwd, stateDir(), globalOptions().config);
    if (unused !== undefined && !isWarned) err.write(`lictor: there are two configurations. This command reads ${file}, not ${unused}. -c FILE chooses.\n`);
    isWarned = true;
    return file;
  };
  const places = (file: string) => {
    const { stateDir: given } = globalOptions();
    return `${given === undefined ? '' : ` --state-dir ${given}`} -c ${file}`;
  };
  const command = env['LICTOR_COMMAND'] ?? 'lictor';
  return {
    out,
    err,
    env,
    pause,
    stateDir,
    configFile,
    commandLine: (words, file) => `${command} ${words}${places(file)}`,
    startLine: (file) => `${env['LICTOR_UP'] ?? `${command} up`}${places(file)}`,
    wholeProgram,
    async loadContext({ secrets, store } = { secrets: 'skip' }) {
      assertStateOurs(stateDir());
      const file = configFile();
      const loaded = loadConfig(file, env, { stateDir: stateDir(), secrets });
      if (!loaded.ok)
        throw new CommandFailed(
          loaded.problems
            .map((problem) => renderProblem(file, problem))
            .join('')
            .trimEnd(),
        );
      if (store === 'existing') assertStore(loaded.config);
      return { config: loaded.config, paths: prepareStateDir(stateDir()), configFile: file, operator: operatorOf(env) };
    },
  };
}

function assertStore({ storeAt }: Config): void {
  if (storeExists(storeAt)) return;
  throw new CommandFailed(`There is no store at ${shownAddress(storeAt)}. Run the command with the gateway's -c and --state-dir.`);
}

function chooseConfigFile(cwd: string, stateDir: string, given: string | undefined): { readonly file: string; readonly unused?: string } {
  if (given !== undefined) return { file: resolve(cwd, given) };
  const here = join(cwd, 'lictor.yaml');
  const inState = join(stateDir, 'lictor.yaml');
  if (here === inState || !existsSync(inState)) return { file: here };
  return existsSync(here) ? { file: here, unused: inState } : { file: inState };
}
