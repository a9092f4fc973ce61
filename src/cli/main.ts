// The command line: finds the command, loads only its file, and turns every error into a text and an exit status.
import { Command, CommanderError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { diskTrouble, isLocked } from '../contract/disk.ts';
import { LictorError } from '../contract/error.ts';
import { printable } from '../contract/printable.ts';
import { COMMANDS, LATER_COMMANDS } from './commands.ts';
import { type CliContext, createContext, type GlobalOptions } from './context.ts';
import { CommandFailed, EXIT, ProgramEnded, UsageError } from './errors.ts';

export interface MainOptions {
  /** The arguments without the interpreter and the script. */
  readonly args: readonly string[];
  readonly out: NodeJS.WritableStream & CliContext['out'];
  readonly err: NodeJS.WritableStream & CliContext['err'];
  readonly env: CliContext['env'];
  readonly cwd: string;
  /** Between two rounds of a sweep; default: waits. Tests of a state directory without nginx do not wait. */
  readonly pause?: CliContext['pause'];
}

/** Runs one command line and returns the exit status. Never throws: it prints errors to `err`. */
export async function main({ args, out, err, env, cwd, pause }: MainOptions): Promise<number> {
  const program = createProgram({ out, err });
  const context: CliContext = createContext({
    out,
    err,
    env,
    cwd,
    pause,
    globalOptions: () => program.opts<GlobalOptions>(),
    wholeProgram: () => wholeProgram({ out, err }, context),
  });
  try {
    await registerCommands(program, context, commandName(args));
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return EXIT.usage;
    }
    await program.parseAsync([...args], { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return explain(error, err, env);
  }
}

function createProgram({ out, err }: Pick<MainOptions, 'out' | 'err'>): Command {
  return new Command('lictor')
    .description('Identity-aware gateway for self-hosted Prefect 3.')
    .version(manifest.version)
    .option('-c, --config <file>', 'configuration (default: ./lictor.yaml, else lictor.yaml in the state directory)')
    .option('--state-dir <dir>', 'state directory (default: .lictor)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => out.write(text), writeErr: (text) => err.write(text) })
    .exitOverride()
    .showHelpAfterError('(lictor --help lists the commands)')
    .addHelpText('after', '\nExample:\n  lictor demo        try a real Prefect behind the gateway\n  lictor up --help   show the options of one command\n');
}

/** Loads the file of a known command. Otherwise registers only summaries, which are enough for the help. */
async function registerCommands(program: Command, context: CliContext, name: string | undefined): Promise<void> {
  const entry = COMMANDS.find((command) => command.name === name);
  if (entry !== undefined) {
    const module = await entry.load();
    module.register(program, context);
    for (const command of program.commands) pointToHelp(command, 'lictor');
    return;
  }
  for (const { name: known, summary } of COMMANDS) program.command(known).description(summary);
  for (const later of LATER_COMMANDS) registerLater(program, later);
}

/** After an error in its arguments, a command names its own help. */
function pointToHelp(command: Command, parent: string): void {
  const path = `${parent} ${command.name()}`;
  command.showHelpAfterError(`(${path} --help shows how to use it)`);
  for (const inner of command.commands) pointToHelp(inner, path);
}

/** Every command with its options and help, only for the documentation. */
export function documentedProgram(streams: Pick<MainOptions, 'out' | 'err'>): Promise<Command> {
  const context: CliContext = createContext({ ...streams, env: {}, cwd: '/', globalOptions: () => ({}), wholeProgram: () => wholeProgram(streams, context) });
  return wholeProgram(streams, context);
}

/** Loads every command's file. */
async function wholeProgram(streams: Pick<MainOptions, 'out' | 'err'>, context: CliContext): Promise<Command> {
  const program = createProgram(streams);
  for (const { load } of COMMANDS) (await load()).register(program, context);
  return program;
}

function registerLater(program: Command, name: string): void {
  program
    .command(name, { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .helpOption(false)
    .action(() => {
      throw new UsageError(`${name} is not built yet. lictor --help lists what is.`);
    });
}

/** The first word that is neither an option nor the value of a global one. */
function commandName(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (word === '-c' || word === '--config' || word === '--state-dir') index++;
    else if (word === 'help') continue;
    else if (!word.startsWith('-')) return word;
  }
  return undefined;
}

function explain(error: unknown, err: CliContext['err'], env: CliContext['env']): number {
  // commander has printed its message already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof ProgramEnded) return error.exitStatus;
  const message = error instanceof Error ? error.message : String(error);
  if (message !== '') err.write(`lictor: ${linesOf(message)}\n`);
  const trouble = error instanceof LictorError ? undefined : diskTrouble(error);
  if (env['LICTOR_DEBUG'] === '1' && error instanceof Error) err.write(`${error.stack ?? ''}\n`);
  else if (trouble !== undefined) err.write(`A file could not be written. ${trouble}\n`);
  else if (isLocked(error))
    err.write('Another process writes to a database of this gateway, or hangs. Try again in some seconds: a control plane that hangs is replaced.\n');
  else if (!(error instanceof LictorError)) err.write('This is a defect of lictor. LICTOR_DEBUG=1 shows where.\n');
  return error instanceof CommandFailed || error instanceof UsageError ? error.exitStatus : EXIT.failed;
}

/** A message may quote a file with unsafe text. */
function linesOf(message: string): string {
  return message.split('\n').map(printable).join('\n');
}

/** `lictor audit | head` ends quietly. */
function endQuietlyOnClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
}

if (import.meta.main) {
  endQuietlyOnClosedPipe(process.stdout);
  endQuietlyOnClosedPipe(process.stderr);
  process.exitCode = await main({ args: process.argv.slice(2), out: process.stdout, err: process.stderr, env: process.env, cwd: process.cwd() });
}
