// `lictor explain`: explains an authorization decision. Works without a running gateway.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { AccessQuestion } from '../authorization/explain/access.ts';
import { explainAction, objectOf } from '../authorization/explain/action.ts';
import type { Explanation, Revisited } from '../authorization/explain/explanation.ts';
import type { ResolvedPrincipal } from '../authorization/explain/principal.ts';
import { recordedPrincipal, revisit } from '../authorization/explain/record.ts';
import { isHeldBy, remediesFor } from '../authorization/explain/remedies.ts';
import { explainRequest } from '../authorization/explain/request.ts';
import type { StatePaths } from '../config/state-dir.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { runOfPrincipal } from '../contract/run-token.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import type { CliContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { renderExplanation, renderRemedies, renderRevisited } from './explain-text.ts';
import { type ExplainerBench, withExplainer } from './explainer-bench.ts';
import { lookOf } from './table.ts';
import { jsonText } from './text.ts';

interface ExplainOptions {
  readonly request?: string;
  readonly as?: string;
  readonly body?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  lictor explain alice@local deployments.run
  lictor explain role:viewer blocks.read_secrets
  lictor explain group:team-b@corp deployments.run etl/nightly        (before the first login)
  lictor explain token:etl-worker flow_runs.cancel 0199c0de-0000-7000-8000-000000000001
  lictor explain run:0199c0de-0000-7000-8000-000000000001 flow_runs.set_state 0199c0de-0000-7000-8000-000000000002
  lictor explain --request 'POST /api/flow_runs/filter' --as bob@local
  lictor explain run:0199c0de-0000-7000-8000-000000000001 --request 'CONNECT api.example.com:443'
  echo '{"parameters": {"n": 1}}' | lictor explain --request 'POST /api/deployments/UUID/create_flow_run' --as role:operator --body -
  lictor explain 5f3c0c5bb8f5a1d4c7a1c9d2e0f4b6a8        (a request id from a refusal)
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('explain')
    .description('explain an authorization decision: its policies, roles and facts')
    .argument('[principal]', 'alice@local, token:NAME, run:UUID, group:NAME@PROVIDER or role:viewer for any principal with it; or the id of a recorded request')
    .argument('[action]', 'an action: flow_runs.cancel (docs/reference/roles.md lists them)')
    .argument('[resource]', 'an id or name, TYPE, or TYPE:ID')
    .option('--request <line>', "a whole request: 'POST /api/flow_runs/filter', or one to the forward proxy: 'CONNECT api.example.com:443'")
    .option('--as <principal>', 'who makes it')
    .option('--body <file>', 'its body in JSON; - reads standard input')
    .option('--json', 'one object')
    .addHelpText('after', EXAMPLES)
    .action((principal, action, resource, options: ExplainOptions) => explain(context, { principal, action, resource }, options));
}

interface Words {
  readonly principal?: string | undefined;
  readonly action?: string | undefined;
  readonly resource?: string | undefined;
}

async function explain(context: CliContext, words: Words, options: ExplainOptions): Promise<void> {
  const answer = chooseQuestion(words, options);
  print(context, await withExplainer(context, answer), options.json === true);
}

type Remedied<T> = T & { readonly remedies: readonly string[] };
type Answer = Remedied<Explanation> | Remedied<Revisited>;
type Question = (bench: ExplainerBench) => Promise<Answer>;

/** Throws UsageError before the command opens a file. */
function chooseQuestion({ principal, action, resource }: Words, { request, as, body }: ExplainOptions): Question {
  if (request !== undefined) {
    const who = as ?? principal;
    if (who === undefined) throw new UsageError('--request needs a principal: --as alice@local, token:NAME, group:NAME@PROVIDER or role:viewer.');
    if (action !== undefined) throw new UsageError('--request and an action are two questions: ask one of them.');
    const bytes = body === undefined ? undefined : readBody(body);
    return async (bench) => {
      const person = await bench.find(who);
      return withRemedies(bench, person, await explainRequest(bench.parts, person, { line: request, body: bytes }));
    };
  }
  if (body !== undefined || as !== undefined) throw new UsageError('--as and --body belong to --request.');
  if (principal === undefined)
    throw new UsageError('explain needs a principal and an action, a --request, or a request id. lictor explain --help has examples.');
  if (action !== undefined) return (bench) => explainNamed(bench, principal, { action, resource });
  if (!REQUEST_ID.test(principal)) throw new UsageError(`${JSON.stringify(principal)} alone is no question: add an action (flow_runs.cancel) or a --request.`);
  return (bench) => explainRecord(bench, principal);
}

async function withRemedies({ parts, config }: ExplainerBench, person: ResolvedPrincipal, explanation: Explanation): Promise<Remedied<Explanation>> {
  return { ...explanation, remedies: await remediesFor(parts, person, explanation, isHeldBy(config, person, explanation)) };
}

async function explainNamed(bench: ExplainerBench, principal: string, question: AccessQuestion): Promise<Answer> {
  const { parts, find, askBack } = bench;
  const person = await find(principal);
  const explanation = await withRemedies(bench, person, await explainAction(parts, person, question));
  const run = runOfPrincipal(principal);
  await askBack([...(run === null ? [] : [{ type: 'FlowRun', id: run } as const]), objectOf(parts, question)]);
  return explanation;
}

/** The ids of nginx. `.N` is one of several created runs. */
const REQUEST_ID = /^[0-9a-f]{32}(?:\.\d+)?$/;

function readBody(place: string): Buffer {
  try {
    return readFileSync(place === '-' ? 0 : place);
  } catch (cause) {
    throw new CommandFailed(`The body ${place === '-' ? 'on standard input' : place} cannot be read.`, cause);
  }
}

async function explainRecord(bench: ExplainerBench, id: string): Promise<Answer> {
  const { parts, findRecorded, paths } = bench;
  const record = await findRecord(paths, id);
  const resolved = await recordedPrincipal(record, findRecorded);
  const revisited = await revisit(parts, { record, resolved });
  if (revisited.now === null || resolved === null || typeof resolved === 'string') return { ...revisited, remedies: [] };
  return { ...revisited, remedies: (await withRemedies(bench, resolved, revisited.now)).remedies };
}

async function findRecord(paths: StatePaths, id: string): Promise<LedgerRecord> {
  const reader = openLedgerReader(paths.ledgerFile);
  try {
    for await (const record of reader.audit({ request: id })) return record;
  } finally {
    reader.close();
  }
  throw new CommandFailed(
    `The ledger has no request ${id}. A request is recorded within a second after it has ended; lictor audit --last 20 shows the newest.`,
  );
}

function print(context: CliContext, result: Answer, json: boolean): void {
  if (json) context.out.write(`${jsonText(result)}\n`);
  else {
    const look = lookOf(context);
    const lines = 'record' in result ? renderRevisited(result, look) : renderExplanation(result, look);
    context.out.write(`${[...lines, ...renderRemedies(result.remedies, look)].join('\n')}\n`);
  }
}
