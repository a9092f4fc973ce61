// `lictor approve` lets a waiting request pass once, and `lictor deny` denies it.
import type { Command } from 'commander';
import { byWhom } from '../contract/chain-words.ts';
import { type AdminSession, recordFirst, withStore } from './admin.ts';
import type { CommandModule } from './commands.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { lineOf } from './option-values.ts';

export const approve: CommandModule = { register: (program, context) => register(program, context, 'approve') };
export const deny: CommandModule = { register: (program, context) => register(program, context, 'deny') };

function register(program: Command, context: CliContext, verb: 'approve' | 'deny'): void {
  program
    .command(`${verb} <id>`)
    .description(`${verb} a request that waits (lictor approvals)`)
    .option('--reason <text>', 'shown on the page of the approval', lineOf('--reason'), '')
    .addHelpText('after', `\nExample:\n  lictor ${verb} 3kXf0aVhT2mWqYp1LrUc8A --reason "checked with the team"\n`)
    .action((id: string, { reason }: { readonly reason: string }) => withStore(context, (session) => decide(context, session, { id, verb, reason })));
}

interface Decision {
  readonly id: string;
  readonly verb: 'approve' | 'deny';
  readonly reason: string;
}

async function decide(context: CliContext, session: AdminSession, { id, verb, reason }: Decision): Promise<void> {
  const { store, operator } = session;
  const approval = await store.approvals.byId(id);
  if (approval === undefined) throw new CommandFailed(`There is no approval ${id}. lictor approvals lists those that wait.`);
  if (approval.state !== 'pending') throw new CommandFailed(`The approval ${id} does not wait: ${approval.state}.`);
  if (approval.revision !== (await store.revisions.published()))
    throw new CommandFailed(`The rules or policies have changed since the request ${id}. Let the requester send it again.`);
  recordFirst(session, { action: `approval.${verb}`, resourceType: 'Approval', resourceId: id });
  const decidedBy = byWhom(operator.principal, operator.asserted);
  const isDecided = await store.approvals.decide(id, { isApproved: verb === 'approve', decidedBy, reason });
  if (!isDecided) throw new CommandFailed(`The approval ${id} does not wait any more.`);
  context.out.write(verb === 'approve' ? `${id} is approved. It lets the same request pass once.\n` : `${id} is denied.\n`);
}
