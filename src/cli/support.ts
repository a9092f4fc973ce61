// `lictor support`: one file that shows how a gateway is set up and what is wrong with it, without its secrets.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { trustedAuthorities } from '../config/authorities.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../contract/clock.ts';
import { probe } from '../operations/doctor/outside/http-probe.ts';
import { upstreamTrust } from '../operations/doctor/outside/trust.ts';
import { archiveOf } from '../operations/support/archive.ts';
import { type BundleFile, gatherBundle } from '../operations/support/bundle.ts';
import { versionsOf } from '../operations/support/versions.ts';
import type { CliContext } from './context.ts';
import { diagnose, pathsAsTheyAre } from './doctor.ts';
import { CommandFailed } from './errors.ts';
import { whyNotWritten } from './write-whole.ts';

interface Options {
  readonly output?: string;
  readonly lines: number;
  readonly logs: boolean;
}

const HELP = `
Runs lictor doctor --deep first, also while the gateway is down. Nothing is sent. Secrets are removed: README.txt in the bundle says
what it holds. The file has mode 600, and an existing file is not replaced.

Example:
  lictor support
  lictor support -o bundle.tar.gz --no-logs
`;

const MOST_LINES = 10_000;

export function register(program: Command, context: CliContext): void {
  program
    .command('support')
    .description('write versions, configuration, findings, sizes, metrics and logs into one file, without secrets')
    .option('-o, --output <file>', 'where it goes (default: lictor-support-TIME.tar.gz)')
    .option('--lines <count>', 'lines of each log', parseLines, 500)
    .option('--no-logs', 'no logs: they may hold names and addresses')
    .addHelpText('after', HELP)
    .action((options: Options) => support(context, options));
}

function parseLines(text: string): number {
  const count = Number(text);
  if (/^[1-9]\d{0,4}$/.test(text) && count <= MOST_LINES) return count;
  throw new InvalidArgumentError(`Write a number from 1 to ${MOST_LINES}.`);
}

async function support(context: CliContext, { output, lines, logs }: Options): Promise<void> {
  const name = `lictor-support-${new Date(systemClock()).toISOString().slice(0, 19).replaceAll(/\D/g, '')}`;
  const file = resolve(output ?? `${name}.tar.gz`);
  if (existsSync(file)) throw new CommandFailed(`${file} exists. Remove it, or name another file with -o.`);
  const files = await gather(context, logs ? lines : 0);
  write(file, await archived(name, files));
  const { out } = context;
  out.write(`${file} holds, in ${name}/:\n${files.map((each) => `  ${each.name}  ${Buffer.byteLength(each.text)} bytes\n`).join('')}`);
  out.write(`Read README.txt and the rest before you give it to anyone: tar -xzf ${basename(file)}\n`);
}

async function gather(context: CliContext, logLines: number): Promise<readonly BundleFile[]> {
  const findings = await diagnose(context, { deep: true, onLogin: null, onProgress: (line) => void context.err.write(`${line}\n`) });
  const loaded = loadConfig(context.configFile(), context.env, { stateDir: context.stateDir() });
  const config = loaded.ok ? loaded.config : undefined;
  const env = { ...context.env };
  const tlsFor = (known: NonNullable<typeof config>) => upstreamTrust(trustedAuthorities(env), known.prefect.caFile);
  const versions = await versionsOf({ lictor: manifest.version, env, config, probe, tlsFor });
  const paths = pathsAsTheyAre(context.stateDir());
  return gatherBundle({ config, configText: textOf(context.configFile()), env, paths, versions, findings, logLines });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

async function archived(name: string, files: readonly BundleFile[]): Promise<Buffer> {
  try {
    return await archiveOf(name, files);
  } catch (error) {
    throw new CommandFailed(
      'The bundle was not written: tar failed. Install it (Debian, Ubuntu: apt-get install tar), and look for free space in /tmp.',
      error,
    );
  }
}

function write(file: string, archive: Buffer): void {
  try {
    writeFileSync(file, archive, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new CommandFailed(`${file} was not written: ${whyNotWritten(error, file)}`, error);
  }
}
