// `lictor access`: lists the principals that may do an action. Works without a running gateway.
import { type Command, InvalidArgumentError } from 'commander';
import { type AccessLine, access, isUnknown, subjectsOf } from '../authorization/explain/access.ts';
import { objectOf } from '../authorization/explain/action.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { withExplainer } from './explainer-bench.ts';
import { renderTable } from './table.ts';
import { jsonText } from './text.ts';

interface Options {
  readonly all?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('access')
    .description('list every principal and role member that may do an action, with the role and the policies that allow it')
    .argument('<action>', 'an action: flow_runs.cancel (docs/reference/roles.md lists them)', notEmpty)
    .argument('[resource]', 'an id or name, TYPE, or TYPE:ID; left out: on anything at all')
    .option('--all', 'also those who may not, with the reason')
    .option('--json', 'one principal and role a line')
    .addHelpText('after', '\nExample:\n  lictor access deployments.run\n  lictor access deployments.run etl/nightly --json\n')
    .action((action: string, resource: string | undefined, options: Options) => show(context, { action, resource }, options));
}

async function show(context: CliContext, question: { readonly action: string; readonly resource: string | undefined }, options: Options): Promise<void> {
  const lines = await withExplainer(context, async ({ parts, config, ids, findRecorded, absence }) => {
    const object = objectOf(parts, question);
    const absent = await absence(object);
    if (absent !== undefined) throw new CommandFailed(absent);
    if (object === undefined || object.id === null) context.err.write(notCounted(parts.policy.conditional.of(question.action)));
    return await access({ parts, config, subjects: subjectsOf(config, await ids(), findRecorded) }, question);
  });
  const unknown = lines.filter(isUnknown);
  const shown = lines.filter((line) => line.allowed || unknown.includes(line) || options.all === true);
  if (options.json === true) context.out.write(shown.map((line) => `${jsonText(line)}\n`).join(''));
  else
    context.out.write(
      shown.length === 0 ? 'No principal may do this.\n' : renderTable([HEADER, ...shown.map((line) => row(line, options.all === true))], context),
    );
  if (unknown.length > 0) throw incomplete(unknown);
}

/** Without an object, nobody can say whom such a policy permits or forbids the action. */
function notCounted(policies: readonly string[]): string {
  if (policies.length === 0) return '';
  return `Not counted, because they decide by the object or the request: own policies ${policies.join(', ')}. Name an object.\n`;
}

function incomplete(unknown: readonly AccessLine[]): CommandFailed {
  const reasons = [...new Set(unknown.map(({ reason }) => reason))].join(', ');
  return new CommandFailed(
    `The list is not complete: Prefect could not be asked about the object (${reasons}), so ${unknown.length} of the lines say "unknown". Start Prefect, or correct prefect in lictor.yaml, and run the command again.`,
  );
}

const HEADER = ['PRINCIPAL', 'ROLE', 'ON', 'BY POLICY'];

function row(line: AccessLine, all: boolean): readonly string[] {
  const { principal, role, scope, allowed, reason, policies } = line;
  const by = `${policies.join(', ')}${line.with_approval ? ' (with approval)' : ''}`;
  if (isUnknown(line)) return [principal, role ?? '-', scope ?? '-', `unknown: ${reason}`];
  if (!allowed) return [principal, '-', '-', `deny ${reason}${by === '' ? '' : `: ${by}`}`];
  return [principal, role ?? 'own policy', scope ?? 'everything', all ? `allow: ${by}` : by];
}

function notEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('write an action: flow_runs.cancel.');
  return text;
}
