// `lictor backup`: one encrypted file with the whole state of a gateway that runs.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { createProgress } from './progress.ts';
import { whyNotWritten } from './write-whole.ts';

interface Options {
  readonly output?: string;
  readonly recipient?: readonly string[];
  readonly recipientsFile?: string;
  readonly passphraseFile?: string;
  readonly newIdentity?: string;
  readonly json?: boolean;
}

const HELP = `
Works while the gateway runs. The file has the store, the ledger, the keys, positions of exports, and the configuration and policies in use. It has no secret
that lictor.yaml names by a file. Its mode is 600, an existing file is not replaced, and Lictor reads it back before it gives it its name.

Example:
  lictor backup --new-identity backup-key.txt       # once; store this file on another machine
  lictor backup -o /backup/lictor-$(date +%F).age --recipient age1...
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('backup')
    .description('write an encrypted backup of the state, while the gateway runs')
    .option('-o, --output <file>', 'where it goes')
    .option('--recipient <key>', 'who can read it: a public key of age; repeatable', collect)
    .option('--recipients-file <file>', 'a file of public keys, one a line')
    .option('--passphrase-file <file>', 'instead: a file with a passphrase')
    .option('--new-identity <file>', 'only make a key: write the identity, and print its public key')
    .option('--json', 'one object')
    .addHelpText('after', HELP)
    .action((options: Options) => (options.newIdentity === undefined ? backup(context, options) : newIdentity(context, options.newIdentity)));
}

export function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

async function newIdentity({ out }: CliContext, file: string): Promise<void> {
  if (existsSync(file)) throw new CommandFailed(`${file} exists. Remove it, or name another file.`);
  const { writeIdentity } = await import('./backup-key.ts');
  out.write(`${await writeIdentity(file)}\n`);
}

async function backup(context: CliContext, { output: given, json, ...key }: Options): Promise<void> {
  if (given === undefined) throw new UsageError('Name the file: lictor backup -o FILE.');
  const output = resolve(given);
  if (existsSync(output)) throw new CommandFailed(`${output} exists. Remove it, or name another file with -o.`);
  const { lockOf } = await import('./backup-key.ts');
  const lock = lockOf(key);
  const { config, paths, configFile } = await context.loadContext({ secrets: 'skip', store: 'existing' });
  const { writeBackup } = await import('../operations/backup/write.ts');
  const progress = createProgress(context.err);
  const parts = { paths, config, configFile, storeAt: config.storeAt, output, lock };
  const { header, records, bytes } = await writeBackup({ ...parts, lictor: manifest.version, clock: systemClock, progress: progress.say })
    .catch((cause: unknown) => {
      if (cause instanceof LictorError) throw cause;
      throw new CommandFailed(`${output} was not written: ${whyNotWritten(cause, output)}`, cause);
    })
    .finally(progress.end);
  if (json === true) context.out.write(`${JSON.stringify({ file: output, id: header.id, made_at: header.made_at, records, bytes })}\n`);
  else context.out.write(`${output} holds the state of ${header.made_at} with ${records.toLocaleString('en')} records. Lictor read it back.\n`);
}
