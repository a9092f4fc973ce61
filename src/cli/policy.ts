// `lictor policy`: the history of own policies, and the effects of another set.
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { askControlPlane } from '../authorization/decide/ask-control-plane.ts';
import { patchesBetween } from '../authorization/policy/own/patches.ts';
import { replaceFiles } from '../authorization/policy/own/replace-files.ts';
import { beforeTheFirst, policiesAt, type Revisions } from '../authorization/policy/own/revisions.ts';
import { LictorError } from '../contract/error.ts';
import type { PolicyFiles } from '../contract/policy-files.ts';
import { isoTime, minuteOf } from '../contract/time-text.ts';
import type { PolicySet } from '../store/policy-sets.ts';
import { type AdminSession, withNewStore, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { lineOf } from './option-values.ts';
import { checkedPolicies } from './own-policies.ts';
import { applyNow } from './policy-apply.ts';
import { renderTable } from './table.ts';
import { printable } from './text.ts';
import { writeDirectory } from './write-directory.ts';

export function register(program: Command, context: CliContext): void {
  const policy = program
    .command('policy')
    .description('manage your own policies: apply, history, show, diff, rollback')
    .addHelpText('after', '\nExample:\n  lictor policy diff\n  lictor policy apply --why "freeze for the audit"\n  lictor policy rollback 41\n');
  policy
    .command('apply')
    .description('apply the files of the policies directory; a broken one is rejected and nothing changes')
    .option('--why <text>', 'shown by lictor policy history', lineOf('--why'))
    .addHelpText('after', '\nExample:\n  lictor policy apply --why "team-b may not override"\n')
    .action((options: { why?: string }) => withNewStore(context, (session) => applyNow(context, session, { why: options.why ?? '' })));
  policy
    .command('history')
    .description('list the policy sets that were applied: revision, when, who, why')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor policy history\n')
    .action((options: { json?: boolean }) => withStore(context, async ({ store }) => history(context, await store.policySets.list(), options.json === true)));
  policy
    .command('show [revision]')
    .description('print the policies of a revision, as a record names it (default: now)')
    .option('-o, --output <dir>', 'write them there as files')
    .addHelpText('after', '\nExample:\n  lictor policy show 41\n  lictor policy show 41 -o policies-41\n')
    .action((revision: string | undefined, options: { output?: string }) => withStore(context, (session) => show(context, session, { revision, ...options })));
  policy
    .command('diff [from] [to]')
    .description('compare two revisions; without the second, compare with the files on the disk')
    .addHelpText('after', '\nExample:\n  lictor policy diff\n  lictor policy diff 41 44\n')
    .action((from: string | undefined, to: string | undefined) => withStore(context, (session) => diff(context, session, { from, to })));
  policy
    .command('rollback <revision>')
    .description('write the policies of a revision into the policies directory, and apply them')
    .option('--why <text>', 'shown by lictor policy history', lineOf('--why'))
    .option('--force', 'also when files on the disk were never applied: they are overwritten')
    .addHelpText('after', '\nExample:\n  lictor policy rollback 41 --why "the freeze is over"\n')
    .action((revision: string, options: { why?: string; force?: boolean }) =>
      withStore(context, (session) => rollback(context, session, { revision, ...options })),
    );
}

function history(context: CliContext, sets: readonly PolicySet[], json: boolean): void {
  if (json) {
    const objects = sets.map(({ revision, by, why, createdMs, files }) => ({ revision, applied_at: isoTime(createdMs), by, why, files: Object.keys(files) }));
    context.out.write(`${JSON.stringify(objects)}\n`);
  } else if (sets.length === 0) context.out.write('No own policies have been in force yet.\n');
  else {
    const rows = sets.map(({ revision, by, why, createdMs, files }) => [`${revision}`, minuteOf(createdMs), by, fileCount(files), printable(why)]);
    context.out.write(renderTable([['REVISION', 'SINCE (UTC)', 'BY', 'FILES', 'WHY'], ...rows], context));
    const first = sets.at(-1)?.revision ?? 0;
    if (beforeTheFirst(sets.length, first - 1) !== undefined)
      context.out.write(`Before revision ${first} there were no own policies: lictor policy rollback ${first - 1} returns to that.\n`);
  }
}

function fileCount(files: PolicyFiles): string {
  const { length } = Object.keys(files);
  return length === 0 ? '0 (no own policies)' : `${length}`;
}

async function show(context: CliContext, session: AdminSession, { revision, output }: { revision: string | undefined; output?: string }): Promise<void> {
  const set = await setAt(await revisions(session), revision);
  if (output === undefined) {
    const texts = Object.entries(set.files).map(([name, text]) => `// ${name}\n${text.trimEnd()}\n`);
    context.out.write(texts.length === 0 ? 'No own policies were in force.\n' : texts.join('\n'));
    return;
  }
  const directory = resolve(output);
  if (existsSync(directory)) throw new UsageError(`${output} exists: name a directory that does not.`);
  writeDirectory(directory, Object.entries(set.files), { directory: 0o777, file: 0o666 });
  context.out.write(`${Object.keys(set.files).length} files of revision ${set.revision} are in ${output}.\n`);
}

async function diff(context: CliContext, session: AdminSession, { from, to }: { from: string | undefined; to: string | undefined }): Promise<void> {
  const known = await revisions(session);
  const isEmpty = from === undefined && (await known.sets.span()).count === 0;
  const left = isEmpty ? { label: 'nothing', files: {} } : labelled(await setAt(known, from));
  const right = to === undefined ? { label: 'on the disk', files: checkedPolicies(session.config).policies.files } : labelled(await setAt(known, to));
  const patches = await patchesBetween(left, right);
  context.out.write(patches.length === 0 ? `No difference: ${left.label}, ${right.label}.\n` : patches.map(({ patch }) => patch).join(''));
}

interface RollbackOptions {
  readonly revision: string;
  readonly why?: string;
  readonly force?: boolean;
}

/** Writes the files back to the directory, because the next start reads them from there. */
async function rollback(context: CliContext, session: AdminSession, { revision, why, force }: RollbackOptions): Promise<void> {
  const { policies } = session.config;
  if (policies === null) throw new UsageError('lictor.yaml names no policies: directory to write to.');
  const { files, revision: since } = await setAt(await revisions(session), revision);
  const onDisk = checkedPolicies(session.config).policies.files;
  const shown = relative(process.cwd(), policies) || policies;
  if (force !== true && !same(onDisk, (await session.store.policySets.latest())?.files ?? {}))
    throw new CommandFailed(`${shown} has edits that were never applied: lictor policy diff shows them. --force overwrites them.`);
  // Before it writes: files that cannot be applied now would come into force at the next start without notice.
  if ((await askControlPlane(session.paths.adminSocket, '/sync')) === 'away')
    throw new CommandFailed(
      `The gateway does not run, so nothing was changed. Start it first; or lictor policy show ${since} -o DIR, and put those files into ${shown}: lictor up reads them.`,
    );
  replaceFiles(policies, files);
  const written = `The files of revision ${since} are in ${shown} all the same, and are read at the next start: lictor policy diff compares them with what decides now.`;
  await applyNow(context, session, { why: why ?? `rollback to revision ${since}`, files: written });
}

function same(a: PolicyFiles, b: PolicyFiles): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

interface Known extends Pick<Revisions, 'sets'> {
  /** Null before the first start. */
  readonly published: number | null;
}

async function revisions({ store }: AdminSession): Promise<Known> {
  return { sets: store.policySets, published: await store.revisions.published() };
}

async function setAt({ sets, published }: Known, text: string | undefined): Promise<Pick<PolicySet, 'revision' | 'files'>> {
  if (text !== undefined && !/^\d+$/.test(text)) throw new UsageError(`${text} is no revision: lictor policy history lists them.`);
  const { newest } = await sets.span();
  const inUse = published === null || newest === null ? (published ?? newest) : Math.max(published, newest);
  try {
    return await policiesAt({ sets, inUse }, text === undefined ? null : Number(text));
  } catch (error) {
    throw error instanceof LictorError && error.code === 'revision-future' ? new UsageError(error.message) : error;
  }
}

function labelled({ revision, files }: Pick<PolicySet, 'revision' | 'files'>): { readonly label: string; readonly files: PolicyFiles } {
  return { label: `revision ${revision}`, files };
}
