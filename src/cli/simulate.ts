// `lictor simulate DIR`: lists recorded decisions that another set of policies would change. Changes nothing, needs no gateway.
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { simulateLedger } from '../authorization/explain/simulate-ledger.ts';
import type { ChangeGroup, Simulation } from '../authorization/explain/simulation.ts';
import { parseDurationSeconds } from '../config/duration.ts';
import { systemClock } from '../contract/clock.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { OPERATIONS } from '../prefect/catalog/catalogue.ts';
import { type AdminSession, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { checkedPolicies, renderProblems } from './own-policies.ts';
import { jsonText, printable } from './text.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('simulate <dir>')
    .description('replay the ledger against the policies in a directory; exits 1 when a decision would or may change')
    .option('--since <when>', 'from this time on: 24h, 7d (default: 7d)', parseSince)
    .option('--json', 'one object, with the id of every request')
    .addHelpText('after', '\nExample:\n  lictor simulate policies-next --since 30d\n')
    .action((dir: string, options: { since?: number; json?: boolean }) => withStore(context, (session) => simulate(context, session, { dir, ...options })));
}

interface Options {
  readonly dir: string;
  readonly since?: number;
  readonly json?: boolean;
}

const WEEK_SECONDS = 604_800;

async function simulate(context: CliContext, session: AdminSession, { dir, since, json }: Options): Promise<void> {
  const checked = checkedPolicies({ policies: resolve(dir) });
  context.err.write(
    renderProblems(
      dir,
      checked.warnings.map((warning) => ({ ...warning, message: `warning: ${warning.message}` })),
    ),
  );
  if (checked.problems.length > 0) throw new CommandFailed(renderProblems(dir, checked.problems).trimEnd());
  const nowMs = systemClock();
  const { config, store, paths } = session;
  const found = await simulateLedger({
    ...{ config, store, nowMs, ledgerFile: paths.ledgerFile },
    actions: collectActions(OPERATIONS),
    candidate: checked.policies.texts,
    since: new Date(nowMs - (since ?? WEEK_SECONDS) * 1000).toISOString(),
  });
  context.out.write(json === true ? `${jsonText(found)}\n` : render(found));
  if (found.changes.length > 0) throw new CommandFailed('');
}

const WORDS: Readonly<Record<ChangeGroup['change'], string>> = {
  'now-denied': 'Would be denied',
  'now-allowed': 'Would be allowed',
  'may-change': 'May change: the decision depends on the object, or on facts that a record does not have',
};

function render({ since, ledger_from, records, counts, changes, unlike_then, unknown_principals }: Simulation): string {
  const lines = [`${records} records since ${since}; ${counts.same} decisions stay, ${counts['not-by-policy']} were not made by a policy.`];
  if (ledger_from !== null) lines.push(`The ledger begins at ${ledger_from}: it has no earlier record.`);
  for (const [change, words] of Object.entries(WORDS)) {
    const groups = changes.filter((group) => group.change === change);
    if (groups.length === 0) continue;
    lines.push('', `${words}: ${groups.reduce((sum, { count }) => sum + count, 0)}`, ...groups.map(renderGroup));
  }
  if (counts['unlike-then'] > 0) {
    lines.push(
      '',
      `${counts['unlike-then']} cannot be replayed: roles, scopes or built-in policies have changed since. For example ${unlike_then.slice(0, 3).join(', ')}`,
    );
  }
  if (unknown_principals.length > 0) {
    const names = unknown_principals.slice(0, 10).map(printable).join(', ');
    lines.push('', `${counts['principal-unknown']} are of principals who are not known here any more: ${names}`);
  }
  lines.push(
    '',
    'A principal that loses a right without having used it in this time is not listed, because it has no record: compare lictor access ACTION before and after you apply.',
    'The replay uses the current roles. Records have neither the body, nor the place of the credential in the request, nor the tags and names of objects. Decisions that depend on them are listed as "may change".',
  );
  return `${lines.join('\n')}\n`;
}

const SHOWN = 3;

function renderGroup({ principal, action, resource_type, policies, right, count, requests, samples }: ChangeGroup): string {
  const by = policies.length === 0 ? 'no policy' : policies.join(', ');
  const when = right === null ? '' : `, if the body asked for ${right}`;
  const more = count > SHOWN ? ', ...' : '';
  const objects = [...new Set(samples.flatMap(({ resource_id: id }) => (id === null ? [] : [printable(id)])))];
  const on = objects.length === 0 ? '' : ` ${objects.slice(0, SHOWN).join(', ')}${objects.length > SHOWN ? ', ...' : ''}`;
  return `  ${String(count).padStart(6)}  ${printable(principal)}  ${action} on ${resource_type}${on}${when}  (${by})  ${requests.slice(0, SHOWN).join(', ')}${more}`;
}

function parseSince(text: string): number {
  const seconds = parseDurationSeconds(text);
  if (seconds === undefined || seconds <= 0) throw new UsageError(`--since ${text}: write 24h, 7d or 90d.`);
  return seconds;
}
