// `lictor evidence`: writes the access review and audit report of a period, as files for a reviewer.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { StatePaths } from '../config/state-dir.ts';
import { byWhom } from '../contract/chain-words.ts';
import { systemClock } from '../contract/clock.ts';
import { isErrno } from '../contract/errno.ts';
import { findNginx } from '../edge/nginx/version.ts';
import { type Evidence, makeEvidence } from '../operations/evidence/make.ts';
import { whyNotProven } from '../operations/evidence/sections/ledger.ts';
import { type AdminSession, withStore } from './admin.ts';
import { parseWhen } from './audit-filters.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { createProgress } from './progress.ts';
import { jsonText } from './text.ts';
import { type NewFiles, writeDirectory } from './write-directory.ts';
import { whyNotWritten } from './write-whole.ts';

const HELP = `
Writes report.html (print it), report.md, access-review.csv (a row for each right, with an empty decision), data.json, head.json (where the
ledger ended, signed) and SHA256SUMS. docs/how-to/evidence.md says what each section supports, and what no gateway can show. A date as the end
of the period is the whole of that day (UTC). The gateway may run meanwhile. Exit 1 when the ledger is not as it was written: the report is made all the same.

Example:
  lictor evidence --from 2026-01-01 --to 2026-03-31
  lictor evidence --from 90d --to 2026-03-31 -o q1-review
  lictor evidence --from 2026-01-01 --to 2026-03-31 --json | jq .denials
`;

interface Options {
  readonly from: string;
  readonly to: string;
  readonly output?: string;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('evidence')
    .description('write an access review and audit report for a period, with the SOC 2 criteria and ISO 27001 controls that it supports')
    .requiredOption('--from <when>', 'the beginning: 2026-01-01, 90d, 2026-01-01T12:00:00Z', parseWhen)
    .requiredOption('--to <when>', 'the end; a date is the whole day: 2026-03-31, 2026-03-31T12:00:00Z', parseEnd)
    .option('-o, --output <dir>', 'where the files go (default: lictor-evidence-FROM-TO)')
    .option('--json', 'the data on standard output, and no files')
    .addHelpText('after', HELP)
    .action((options: Options) => withStore(context, (session) => evidence(context, session, options)));
}

const DAY_MS = 86_400_000;

/** The end of the period, exclusive. */
function parseEnd(text: string): string {
  const when = parseWhen(text);
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return when;
  const end = Date.parse(when) + DAY_MS;
  if (Number.isNaN(end)) throw new InvalidArgumentError('Write a date: 2026-03-31.');
  return new Date(end).toISOString();
}

async function evidence(context: CliContext, session: AdminSession, options: Options): Promise<void> {
  const { from, to, json } = options;
  if (from >= to) throw new UsageError(`--from ${from} is not before --to ${to}.`);
  if (Date.parse(from) > systemClock()) throw new UsageError(`--from ${from} is in the future.`);
  if (json === true && options.output !== undefined) throw new UsageError('Take one of --json and -o.');
  const directory = resolve(options.output ?? `lictor-evidence-${from.slice(0, 10)}-${new Date(Date.parse(to) - 1).toISOString().slice(0, 10)}`);
  if (json !== true) assertFree(directory);
  const { data, files } = await gather(context, session, options);
  if (json === true) context.out.write(`${jsonText(data)}\n`);
  else writeAll(context, directory, files());
  const doubt = whyNotProven(data.ledger);
  if (doubt !== null) throw new CommandFailed(`The ledger is not proven: ${doubt}. lictor audit verify says more.`);
}

async function gather(context: CliContext, session: AdminSession, { from, to }: Options): Promise<Evidence> {
  const { config, paths, configFile, store, operator } = session;
  const progress = createProgress(context.err);
  assertLedger(paths);
  const nginx = await findNginx(context.env).then(
    ({ text }) => text,
    () => null,
  );
  try {
    return await makeEvidence({
      ...{ config, configFile, paths, store, from, to, nginx },
      by: byWhom(operator.principal, operator.asserted),
      nowMs: systemClock(),
      onProgress: ({ phase, records }) => progress.say(`${records.toLocaleString('en')} ${PHASES[phase]}`),
    });
  } finally {
    progress.end();
  }
}

const PHASES = { period: 'records of the period', ledger: 'records of the whole ledger examined' } as const;

function assertLedger(paths: StatePaths): void {
  if (!existsSync(paths.ledgerFile))
    throw new CommandFailed(`There is no ledger at ${paths.ledgerFile} yet: start the gateway with lictor up, or name its --state-dir.`);
}

function assertFree(directory: string): void {
  if (isFree(directory)) return;
  throw new UsageError(`${directory} is there and ${statSync(directory).isDirectory() ? 'not empty' : 'no directory'}: name another directory with -o.`);
}

function isFree(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    if (isErrno(error, 'ENOTDIR') && existsSync(directory)) return false;
    if (isErrno(error, 'EACCES', 'EPERM')) throw new CommandFailed(`${directory} cannot be written: this user may not look into it.`, error);
    throw new CommandFailed(`${directory} cannot be written: ${whyNotWritten(error, directory)}`, error);
  }
}

/** Only the owner may read the files, because they name people and their rights. */
function writeAll(context: CliContext, directory: string, files: NewFiles): void {
  writeDirectory(directory, files, { directory: 0o700, file: 0o600 });
  context.out.write(`${files.map(([name]) => join(directory, name)).join('\n')}\n`);
}
