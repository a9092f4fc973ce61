// `lictor migrate workers`: moves workers to the gateway one by one, and waits until all have moved.
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { systemClock } from '../contract/clock.ts';
import { bypassChecks, upstreamSubjects } from '../operations/doctor/outside/bypasses.ts';
import { counted } from '../operations/doctor/outside/compare-workers.ts';
import { addressesOf } from '../operations/doctor/outside/other-addresses.ts';
import { runChecks } from '../operations/doctor/run-checks.ts';
import { networkRules } from '../operations/migrate/network-rules.ts';
import { KINDS, type Kind } from '../operations/migrate/setup-lines.ts';
import { addressTowards, afterDoubt, type Survey, survey } from '../operations/migrate/survey.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { countWords, renderRules, renderSecondsLeft, renderSetup, renderSurvey, surveyJson, waitingFor } from './migrate-text.ts';
import { createWorkerTokens } from './migrate-tokens.ts';
import { createProgress } from './progress.ts';
import { jsonText } from './text.ts';

interface Options {
  readonly tokens?: string;
  readonly worker?: readonly string[];
  readonly lines?: Kind;
  readonly once?: boolean;
  readonly json?: boolean;
}

const HELP = `
A worker has moved when its channel is open at the gateway with a credential of Lictor. Both ways stay open until the last one has moved. A process that is left
under its name sends a heartbeat within 30 seconds, so the command waits for it. Then it prints the network rule that closes the direct way, and what lictor doctor finds. --tokens creates a token for each worker that uses Prefect
directly (role worker, on its pool), in a new file of mode 600. No secret is printed.

Example:
  lictor migrate workers --tokens /etc/lictor/workers -c /etc/lictor/lictor.yaml
  lictor migrate workers --once
`;

export function register(program: Command, context: CliContext): void {
  const migrate = program
    .command('migrate')
    .description('move workers to the gateway one by one (docs/how-to/move-workers.md)')
    .addHelpText('after', '\nExample:\n  lictor migrate workers --once\n');
  migrate
    .command('workers')
    .description('list the workers that Prefect knows and which of them use the gateway; print lines to paste; wait until all have moved')
    .option('--tokens <dir>', 'create a token for each worker that has not moved, in a file below DIR')
    .option('--worker <name>', 'only for this worker; repeatable', (name: string, before: readonly string[] = []) => [...before, name])
    .addOption(new Option('--lines <kind>', 'print the lines of one kind of worker (default: all)').choices(KINDS))
    .option('--once', 'do not wait')
    .option('--json', 'one object; does not wait')
    .addHelpText('after', HELP)
    .action((options: Options) => migrateWorkers(context, options));
}

interface Migration {
  readonly context: CliContext;
  readonly options: Options;
  readonly loaded: LoadedContext;
  readonly look: () => ReturnType<typeof survey>;
}

async function migrateWorkers(context: CliContext, options: Options): Promise<void> {
  const loaded = await context.loadContext({ secrets: 'read', store: 'existing' });
  const servers = upstreamSubjects({ config: loaded.config, env: context.env });
  const migration: Migration = { context, options, loaded, look: () => survey({ servers, paths: loaded.paths, clock: systemClock }) };
  const first = await firstSurvey(migration);
  const tokens = await createWorkerTokens(loaded, { directory: options.tokens, workers: stayed(first, options) });
  if (options.json === true) return void context.out.write(`${jsonText({ ...surveyJson(first), tokens })}\n`);
  context.out.write(renderSurvey(first, context));
  context.out.write(renderSetup({ tokens, lines: options.lines, config: loaded.config, directory: options.tokens }));
  const last = options.once === true || first.of === 0 ? first : await untilMoved(migration, first);
  if (last.of === 0) return;
  if (isDone(last)) await printRules(migration);
  else if (last.secondsLeft > 0) context.out.write(renderSecondsLeft(last));
}

async function firstSurvey(migration: Migration): Promise<Survey> {
  const { options, loaded } = migration;
  const found = await whileBusy(migration);
  if (!found.ok) throw new CommandFailed(`${found.why}. ${remedyOf(found.why, loaded)}`);
  const known = [...found.survey.workers, ...found.survey.offline].map(({ name }) => name);
  const unknown = options.worker?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`--worker ${unknown}: Prefect knows no worker of this name.`);
  return found.survey;
}

const REFRESH_MS = 2_000;

/** A Prefect in which many runs start at once answers late. */
const ATTEMPTS = 5;

async function whileBusy({ context: { err, pause = wait }, look }: Migration): Promise<Awaited<ReturnType<typeof survey>>> {
  const progress = createProgress(err);
  let found = await look();
  for (let again = 1; again < ATTEMPTS && !found.ok && /no answer within|answers 503/.test(found.why); again += 1) {
    progress.say(`${found.why}. Waiting for it.`);
    await pause(REFRESH_MS);
    found = await look();
  }
  progress.end();
  return found;
}

function remedyOf(why: string, { configFile }: LoadedContext): string {
  if (why.startsWith('The gateway')) return `Start it: lictor up -c ${configFile}. Workers move while it runs.`;
  return why.startsWith('The control plane') ? 'The supervisor replaces it within 10 s: try again.' : 'lictor doctor examines the way to Prefect.';
}

/** Those that need a token and lines. */
function stayed({ workers }: Survey, { worker }: Options): Survey['workers'] {
  return counted(workers).filter(({ way, name }) => (worker === undefined ? way !== 'gateway' : worker.includes(name)));
}

/** Prints a line for each change. An outage of Prefect or of the gateway is waited for. */
async function untilMoved({ context, look }: Migration, first: Survey): Promise<Survey> {
  const { out, err, pause = wait } = context;
  const progress = createProgress(err);
  let [present, doubtMs] = [first, 0];
  while (!isDone(present)) {
    progress.say(waitingFor(present));
    if (present.workers.some(({ way }) => way === 'both' || way === 'shared-password')) doubtMs = systemClock();
    await pause(REFRESH_MS);
    const found = await look();
    if (!found.ok) {
      progress.say(`${found.why}. Waiting for it.`);
      continue;
    }
    if (countWords(found.survey) !== countWords(present)) {
      progress.end();
      out.write(`${countWords(found.survey)}\n`);
    }
    present = afterDoubt(found.survey, doubtMs, systemClock());
  }
  progress.end();
  return present;
}

/** Runs that began on the direct way end there: the rule would break them. */
function isDone({ through, of, directRuns, secondsLeft }: Survey): boolean {
  return through === of && directRuns.length === 0 && secondsLeft === 0;
}

async function printRules({ context, loaded: { config } }: Migration): Promise<void> {
  const { servers } = config.prefect;
  const subjects = await Promise.all(servers.map(async (url) => ({ url, gateway: (await addressTowards(url)) ?? 'GATEWAY' })));
  const checks = upstreamSubjects({ config, env: context.env }).flatMap(bypassChecks);
  const addresses = addressesOf();
  const findings = await runChecks(checks);
  context.out.write(renderRules({ rules: networkRules(subjects), findings, servers, addresses, config }, context));
}
