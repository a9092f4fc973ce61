// `lictor policy`: own policies as they came into force, and how another set does.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { PolicyFiles } from '../contract/policy-files.ts';
import { isPolicyFile } from '../policy/own/directory.ts';
import type { PolicySet } from '../store/policy-sets.ts';
import { type AdminSession, renderTable, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { checkedPolicies } from './own-policies.ts';
import { applyNow } from './policy-apply.ts';
import { replaceFiles } from './policy-files.ts';
import { printable } from './text.ts';

const LONGEST_WHY = 200;

export function register(program: Command, context: CliContext): void {
  const policy = program
    .command('policy')
    .description('own policies: apply, history, show, diff, rollback')
    .addHelpText('after', '\nExample:\n  lictor policy diff\n  lictor policy apply --why "freeze for the audit"\n  lictor policy rollback 41\n');
  policy
    .command('apply')
    .description('the files of the policies directory decide from the next request on; a broken one is refused and nothing changes')
    .option('--why <text>', 'for whoever reads lictor policy history', parseWhy)
    .addHelpText('after', '\nExample:\n  lictor policy apply --why "team-b may not override"\n')
    .action((options: { why?: string }) => withStore(context, (session) => applyNow(context, session, options.why ?? '')));
  policy
    .command('history')
    .description('every set that came into force: revision, when, who, why')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor policy history\n')
    .action((options: { json?: boolean }) => withStore(context, async ({ store }) => history(context, await store.policySets.list(), options.json === true)));
  policy
    .command('show [revision]')
    .description('the texts that decided at a revision, as a record names it (default: now)')
    .option('-o, --output <dir>', 'write them there as files')
    .addHelpText('after', '\nExample:\n  lictor policy show 41\n  lictor policy show 41 -o policies-41\n')
    .action((revision: string | undefined, options: { output?: string }) => withStore(context, (session) => show(context, session, { revision, ...options })));
  policy
    .command('diff [from] [to]')
    .description('what differs between two revisions; without the second: between that one, or what is in force, and the files on the disk')
    .addHelpText('after', '\nExample:\n  lictor policy diff\n  lictor policy diff 41 44\n')
    .action((from: string | undefined, to: string | undefined) => withStore(context, (session) => diff(context, session, { from, to })));
  policy
    .command('rollback <revision>')
    .description('writes the texts that decided at a revision into the policies directory, and applies them')
    .option('--why <text>', 'for whoever reads lictor policy history', parseWhy)
    .option('--force', 'also when files on the disk were never applied: they are overwritten')
    .addHelpText('after', '\nExample:\n  lictor policy rollback 41 --why "the freeze is over"\n')
    .action((revision: string, options: { why?: string; force?: boolean }) =>
      withStore(context, (session) => rollback(context, session, { revision, ...options })),
    );
}

function history(context: CliContext, sets: readonly PolicySet[], json: boolean): void {
  if (json) {
    const objects = sets.map(({ revision, by, why, createdMs, files }) => ({ revision, applied_at: iso(createdMs), by, why, files: Object.keys(files) }));
    context.out.write(`${JSON.stringify(objects)}\n`);
  } else if (sets.length === 0) context.out.write('No own policies have been in force yet.\n');
  else {
    const rows = sets.map(({ revision, by, why, createdMs, files }) => [`${revision}`, minute(createdMs), by, `${Object.keys(files).length}`, printable(why)]);
    context.out.write(renderTable([['REVISION', 'SINCE (UTC)', 'BY', 'FILES', 'WHY'], ...rows]));
  }
}

async function show(context: CliContext, { store }: AdminSession, { revision, output }: { revision: string | undefined; output?: string }): Promise<void> {
  const set = setAt(await store.policySets.list(), revision);
  if (output === undefined) {
    const texts = Object.entries(set.files).map(([name, text]) => `// ${name}\n${text.trimEnd()}\n`);
    context.out.write(texts.length === 0 ? 'No own policies were in force.\n' : texts.join('\n'));
    return;
  }
  const directory = resolve(output);
  if (existsSync(directory)) throw new UsageError(`${output} exists: name a directory that does not.`);
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of Object.entries(set.files)) writeFileSync(join(directory, name), text);
  context.out.write(`${Object.keys(set.files).length} files of revision ${set.revision} are in ${output}.\n`);
}

async function diff(context: CliContext, session: AdminSession, { from, to }: { from: string | undefined; to: string | undefined }): Promise<void> {
  const sets = await session.store.policySets.list();
  const left = from === undefined && sets.length === 0 ? { label: 'nothing', files: {} } : labelled(setAt(sets, from));
  const right = to === undefined ? { label: 'on the disk', files: checkedPolicies(session.config).policies.files } : labelled(setAt(sets, to));
  const { createTwoFilesPatch } = await import('diff');
  const names = [...new Set([...Object.keys(left.files), ...Object.keys(right.files)])].sort();
  const changed = names.filter((name) => left.files[name] !== right.files[name]);
  const patches = changed.map((name) => createTwoFilesPatch(name, name, left.files[name] ?? '', right.files[name] ?? '', left.label, right.label));
  context.out.write(patches.length === 0 ? `No difference: ${left.label}, ${right.label}.\n` : patches.join('').replace(/^=+\n/gm, ''));
}

interface RollbackOptions {
  readonly revision: string;
  readonly why?: string;
  readonly force?: boolean;
}

/** The directory stays the truth: the next start reads it. */
async function rollback(context: CliContext, session: AdminSession, { revision, why, force }: RollbackOptions): Promise<void> {
  const { policies } = session.config;
  if (policies === null) throw new UsageError('lictor.yaml names no policies: directory to write to.');
  const sets = await session.store.policySets.list();
  const { files, revision: since } = setAt(sets, revision);
  const onDisk = checkedPolicies(session.config).policies.files;
  if (force !== true && !same(onDisk, sets[0]?.files ?? {})) {
    throw new CommandFailed(`${relative(process.cwd(), policies)} has edits that were never applied: lictor policy diff shows them. --force overwrites them.`);
  }
  replaceFiles(policies, files);
  await applyNow(context, session, why ?? `rollback to revision ${since}`);
}

function same(a: PolicyFiles, b: PolicyFiles): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What was in force at a revision: revisions count changes of the configuration too. */
function setAt(sets: readonly PolicySet[], revision: string | undefined): PolicySet {
  const number = revision === undefined ? Number.POSITIVE_INFINITY : Number(revision);
  if (Number.isNaN(number)) throw new UsageError(`${revision} is no revision: lictor policy history lists them.`);
  const set = sets.find((candidate) => candidate.revision <= number);
  if (set === undefined) throw new CommandFailed('No own policies are kept of that time: lictor policy history lists what there is.');
  // They become paths, and root may be the one who asks.
  const strange = Object.keys(set.files).find((name) => !isPolicyFile(name));
  if (strange !== undefined)
    throw new CommandFailed(`The store names a file of revision ${set.revision} ${printable(strange)}: the gateway did not write that.`);
  return set;
}

function labelled({ revision, files }: PolicySet): { readonly label: string; readonly files: PolicyFiles } {
  return { label: `revision ${revision}`, files };
}

function parseWhy(text: string): string {
  if (/\p{Cc}/u.test(text) || text.length > LONGEST_WHY) throw new UsageError(`--why: one line of at most ${LONGEST_WHY} characters.`);
  return text;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function minute(ms: number): string {
  return iso(ms).slice(0, 16).replace('T', ' ');
}
