// `lictor agent`: lists the agents of lictor.yaml, stops one at once, and lets it go on. Works on the store's file.
import type { Command } from 'commander';
import { cancelRuns } from '../authorization/agents/cancel-runs.ts';
import { type AgentOverview, agentOverviews, overviewJson } from '../authorization/agents/overview.ts';
import { agentId } from '../contract/principal.ts';
import { minuteOf } from '../contract/time-text.ts';
import { requireAgent } from '../identity/manage/lock-target.ts';
import { createUpstream } from '../prefect/client/upstream.ts';
import { type AdminSession, recordAfter, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import { putLock } from './lock.ts';
import { lineOf } from './option-values.ts';
import { renderTable, type Terminal } from './table.ts';
import { removeLock } from './unlock.ts';

interface StopOptions {
  readonly cancelRuns?: boolean;
  readonly why?: string;
}

export function register(program: Command, context: CliContext): void {
  const agent = program
    .command('agent')
    .description('list, stop and resume the AI agents of the configuration')
    .addHelpText('after', '\nExample:\n  lictor agent list\n  lictor agent stop copilot --cancel-runs\n');
  agent
    .command('list')
    .description('list agents with sponsor, budgets used, and last call')
    .option('--json', 'one array of objects')
    .addHelpText('after', '\nExample:\n  lictor agent list --json\n')
    .action((options: { json?: boolean }) => withStore(context, (session) => list(context, session, options.json === true)));
  agent
    .command('stop <name>')
    .description('refuse the next request of an agent and its runs, and close its sockets')
    .option('--cancel-runs', 'cancel its unfinished runs, and the runs below them')
    .option('--why <text>', 'shown by lictor locks', lineOf('--why'))
    .addHelpText('after', '\nExample:\n  lictor agent stop copilot --cancel-runs --why "runs in circles"\n')
    .action((name: string, options: StopOptions) => withStore(context, (session) => stop(context, session, { name, ...options })));
  agent
    .command('resume <name>')
    .description('let a stopped agent go on')
    .addHelpText('after', '\nExample:\n  lictor agent resume copilot\n')
    .action((name: string) => withStore(context, (session) => resume(context, session, name)));
}

async function list(context: CliContext, { config, store }: AdminSession, json: boolean): Promise<void> {
  const agents = await agentOverviews(config.agents, store);
  context.out.write(json ? `${JSON.stringify(agents.map(overviewJson))}\n` : render(agents, context));
}

function render(agents: readonly AgentOverview[], terminal: Terminal): string {
  if (agents.length === 0) return 'No agents. agents in lictor.yaml declares them.\n';
  const rows = agents.map(({ name, sponsor, credential, budgets, lastCallMs, taintedUntilMs, pendingApprovals, stopped }) => [
    name,
    sponsor,
    credential,
    stopped === null ? 'active' : 'stopped',
    lastCallMs === null ? 'never' : minuteOf(lastCallMs),
    taintedUntilMs === null ? '-' : minuteOf(taintedUntilMs),
    Object.entries(budgets)
      .map(([key, { most, used }]) => `${key} ${used === null ? '' : `${used}/`}${most}`)
      .join(', '),
    String(pendingApprovals),
  ]);
  return renderTable([['NAME', 'SPONSOR', 'CREDENTIAL', 'STATE', 'LAST CALL (UTC)', 'TAINTED UNTIL', 'BUDGETS USED', 'PENDING'], ...rows], terminal);
}

async function stop(context: CliContext, session: AdminSession, { name, why = '', ...options }: StopOptions & { readonly name: string }): Promise<void> {
  requireAgent(name, session.config);
  await putLock(context, session, { kind: 'principal', value: agentId(name), why, expiresMs: null });
  context.out.write(`The agent ${name} is stopped. lictor agent resume ${name} ends that.\n`);
  if (options.cancelRuns === true) await cancel(context, session, name);
}

async function cancel(context: CliContext, session: AdminSession, name: string): Promise<void> {
  const { config } = await context.loadContext({ secrets: 'read', store: 'existing' });
  const upstream = createUpstream({ ...config.prefect, publicUrl: null });
  const cancelled: string[] = [];
  const onCancelled = (flowRunId: string): void => {
    cancelled.push(flowRunId);
    recordAfter(context, session, { action: 'flow_runs.cancel', resourceType: 'FlowRun', resourceId: flowRunId });
  };
  try {
    const failed = await cancelRuns({ runs: session.store.agentRuns, upstream, onCancelled }, name);
    context.out.write(`${countedRuns(cancelled.length)} cancelled.\n`);
    if (failed.length > 0) throw new CommandFailed(`Prefect did not cancel ${failed.join(', ')}. Cancel them in Prefect.`);
  } catch (cause) {
    if (cause instanceof CommandFailed) throw cause;
    throw new CommandFailed(`The agent is stopped, but Prefect does not answer: ${countedRuns(cancelled.length)} cancelled. Run the command again.`, cause);
  } finally {
    await upstream.close();
  }
}

function countedRuns(count: number): string {
  return count === 1 ? '1 run is' : `${count} runs are`;
}

async function resume(context: CliContext, session: AdminSession, name: string): Promise<void> {
  requireAgent(name, session.config);
  const target = { kind: 'principal', value: agentId(name) } as const;
  const held = await session.store.locks.heldOn(target);
  if (held.length === 0) throw new CommandFailed(`The agent ${name} is not stopped.`);
  await removeLock(context, session, { target, held });
  context.out.write(`The agent ${name} may go on.\n`);
}
