// `lictor enforce WHO`: ends observe mode for a role, a group or another member. Works on the store's file, also while the gateway is down.
import type { Command } from 'commander';
import { observationsIn } from '../authorization/decide/observation.ts';
import type { Config } from '../config/config.ts';
import { memberComplaint } from '../config/sections/members.ts';
import { meantWords } from '../config/suggest.ts';
import { byWhom } from '../contract/chain-words.ts';
import { SHARED_PASSWORD } from '../contract/principal.ts';
import { BUILT_IN_ROLES } from '../contract/roles.ts';
import { type AdminSession, makeItHold, recordAfter, recordFirst, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './errors.ts';
import { jsonText } from './text.ts';

interface Options {
  readonly undo?: boolean;
  readonly json?: boolean;
}

export function register(program: Command, context: CliContext): void {
  program
    .command('enforce <who>')
    .description('enforce the policies for a role, a group or another member')
    .option('--undo', 'observe them again, for the rest of the 30 days')
    .option('--json', 'one object')
    .addHelpText(
      'after',
      '\nExample:\n  lictor enforce team-a\n  lictor enforce operator\n  lictor enforce token:etl-worker\n  lictor enforce shared-password\n',
    )
    .action((who: string, options: Options) => withStore(context, (session) => enforce(context, session, who, options)));
}

async function enforce(context: CliContext, session: AdminSession, who: string, { undo, json }: Options): Promise<void> {
  const { store, config, operator } = session;
  const subject = subjectOf(who, config);
  const change = { action: undo === true ? 'observe.resume' : 'observe.enforce', resourceType: 'Observation', resourceId: subject } as const;
  if (undo === true) recordFirst(session, change);
  const isChanged =
    undo === true ? await store.observations.observeAgain(subject) : await store.observations.enforce(subject, byWhom(operator.principal, operator.asserted));
  await makeItHold(context, session);
  if (undo !== true) recordAfter(context, session, change);
  context.out.write(
    json === true ? `${jsonText({ who: subject, enforced: undo !== true, changed: isChanged })}\n` : `${words(subject, undo === true, isChanged)}\n`,
  );
  if (observationsIn(config).length === 0) context.err.write('lictor: lictor.yaml observes nobody, so everything is enforced already.\n');
}

function words(subject: string, isUndone: boolean, isChanged: boolean): string {
  if (isUndone) return isChanged ? `${subject} is observed again, if lictor.yaml says so.` : `${subject} was not enforced.`;
  return isChanged ? `${subject} is enforced now. lictor enforce ${subject} --undo observes again.` : `${subject} was enforced already.`;
}

/** `team-a` is the group of that name. Throws UsageError for a role or member that cannot exist. */
function subjectOf(who: string, { roles, identityProviders }: Config): string {
  if (who === SHARED_PASSWORD || BUILT_IN_ROLES.some((role) => role === who)) return who;
  const members = [...new Set(roles.flatMap((binding) => binding.members))];
  const groups = members.filter((member) => member.startsWith(`group:${who}@`));
  const [only, ...others] = groups;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) throw new UsageError(`${who} is a group of several providers: write ${groups.join(' or ')}.`);
  if (!who.includes(':') && !who.startsWith('*')) {
    const known = [...BUILT_IN_ROLES, SHARED_PASSWORD, ...members.flatMap((member) => /^group:(.+)@[^@]+$/.exec(member)?.[1] ?? [])];
    throw new UsageError(`${who} is no role, and lictor.yaml gives no role to a group of this name.${meantWords(who, known)}`);
  }
  const complaint = memberComplaint(who, { providers: identityProviders });
  if (complaint !== undefined) throw new UsageError(`${complaint.message}. ${complaint.remedy}`);
  return who;
}
