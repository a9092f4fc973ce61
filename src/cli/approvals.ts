// `lictor approvals`: lists the requests that wait for a person.
import type { Command } from 'commander';
import { approvalJson } from '../authorization/approvals/approval-json.ts';
import { minuteOf } from '../contract/time-text.ts';
import type { StoredApproval } from '../store/approvals.ts';
import { withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { renderTable, type Terminal } from './table.ts';
import { printable } from './text.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('approvals')
    .description('requests that wait for the approval of a person')
    .option('--all', 'also those that were decided or have expired; the store has them for a day')
    .option('--json', 'one object a line')
    .addHelpText('after', '\nExample:\n  lictor approvals --json\n')
    .action((options: { readonly all?: true; readonly json?: true }) =>
      withStore(context, async ({ store }) => {
        const approvals = (await store.approvals.list()).filter(({ state }) => options.all === true || state === 'pending');
        context.out.write(
          options.json === true ? approvals.map((approval) => `${JSON.stringify(approvalJson(approval))}\n`).join('') : table(approvals, context),
        );
      }),
    );
}

function table(approvals: readonly StoredApproval[], terminal: Terminal): string {
  if (approvals.length === 0) return 'No request waits for an approval.\n';
  const rows = approvals.map(({ id, requestedBy, onBehalfOf, action, resourceType, resourceId, resourceName, expiresMs, state }) =>
    [id, [requestedBy, ...onBehalfOf].join(' for '), action, `${resourceType} ${resourceName ?? resourceId ?? ''}`, minuteOf(expiresMs), state].map(printable),
  );
  return renderTable([['ID', 'REQUESTED BY', 'ACTION', 'OBJECT', 'UNTIL (UTC)', 'STATE'], ...rows], terminal);
}
