// `lictor explain`: may they do this, and why. Works without the gateway running.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { collectActions } from '../catalog/actions.ts';
import { createCatalogue } from '../catalog/catalogue.ts';
import type { Config } from '../config/config.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import { LictorError } from '../contract/error.ts';
import type { LedgerRecord } from '../contract/record.ts';
import { publishedRevision } from '../decide/revision.ts';
import { explainAction } from '../explain/action.ts';
import type { ExplainerParts } from '../explain/explainer.ts';
import type { Explanation, Revisited } from '../explain/explanation.ts';
import { findPrincipal, type Somebody } from '../explain/principal.ts';
import { revisit } from '../explain/record.ts';
import { explainRequest } from '../explain/request.ts';
import { openLedgerReader } from '../ledger/query.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { mayPollBy } from '../policy/may-poll.ts';
import type { OwnPolicies } from '../policy/own/check.ts';
import { loadBuiltInPolicies } from '../policy/policies.ts';
import { loadPolicySources } from '../policy/sources.ts';
import { createLookup } from '../prefect/lookup.ts';
import { createUpstream } from '../prefect/upstream.ts';
import { openStore, type Store } from '../store/store.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { renderExplanation, renderRevisited } from './explain-text.ts';
import { policiesInForce } from './own-policies.ts';
import { jsonText, painter } from './text.ts';

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
    .description('may they do this, and why: the decision with its policies, roles and facts')
    .argument('[principal]', 'alice@local, token:NAME, run:UUID, or role:viewer for somebody with that role; or the id of a request that was made')
    .argument('[action]', 'an action: flow_runs.cancel (docs/roles.md lists them)')
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
  const loaded = await loadLeniently(context);
  const store = lazyStore(loaded.config);
  const upstream = createUpstream({ ...loaded.config.prefect, publicUrl: null, connectTimeoutMs: 2_000, answerTimeoutMs: 5_000 });
  try {
    const own = await policiesInForce(loaded.config, loaded.configFile);
    const makerOf: ExplainerParts['makerOf'] = async (type, id) => (await store.open()).makers.of(type, id);
    const knowsFlow = async (principal: string, flow: string) => (await store.open()).knownFlows.has(principal, flow);
    const leaseOf = async (lease: string) => (await store.open()).leases.of(lease);
    const parts = createParts(loaded, own, { lookup: createLookup(upstream), makerOf, knowsFlow, leaseOf });
    const find = (text: string) => findPrincipal(text, { config: loaded.config, store: store.open, nowMs: systemClock(), mayPoll: mayPollBy(parts.policy) });
    const result = await answer({ parts, find, paths: loaded.paths });
    print(context, result, options.json === true);
  } catch (error) {
    throw inWords(error);
  } finally {
    await upstream.close();
    await store.close();
  }
}

interface Bench {
  readonly parts: ExplainerParts;
  readonly find: (principal: string) => Promise<Somebody>;
  readonly paths: StatePaths;
}

type Question = (bench: Bench) => Promise<Explanation | Revisited>;

/** Throws UsageError before anything is opened. */
function chooseQuestion({ principal, action, resource }: Words, { request, as, body }: ExplainOptions): Question {
  if (request !== undefined) {
    const who = as ?? principal;
    if (who === undefined) throw new UsageError('--request needs somebody who makes it: --as alice@local, token:NAME or role:viewer.');
    if (action !== undefined) throw new UsageError('--request and an action are two questions: ask one of them.');
    const bytes = body === undefined ? undefined : readBody(body);
    return async ({ parts, find }) => explainRequest(parts, await find(who), { line: request, body: bytes });
  }
  if (body !== undefined || as !== undefined) throw new UsageError('--as and --body belong to --request.');
  if (principal === undefined)
    throw new UsageError('explain needs a principal and an action, a --request, or a request id. lictor explain --help has examples.');
  if (action !== undefined) return async ({ parts, find }) => explainAction(parts, await find(principal), { action, resource });
  if (!REQUEST_ID.test(principal)) throw new UsageError(`${JSON.stringify(principal)} alone is no question: add an action (flow_runs.cancel) or a --request.`);
  return (bench) => explainRecord(bench, principal);
}

/** nginx's own ids; `.N` stands for one of several created runs. */
const REQUEST_ID = /^[0-9a-f]{32}(?:\.\d+)?$/;

function readBody(place: string): Buffer {
  try {
    return readFileSync(place === '-' ? 0 : place);
  } catch (cause) {
    throw new CommandFailed(`The body ${place === '-' ? 'on standard input' : place} cannot be read.`, cause);
  }
}

async function explainRecord({ parts, find, paths }: Bench, id: string): Promise<Revisited> {
  const record = await findRecord(paths, id);
  if (record.principal === null) return revisit(parts, { record, somebody: null });
  const somebody = await find(record.principal).catch((error: unknown) => {
    if (error instanceof LictorError && error.code === 'principal-unknown') return `${record.principal} is not known here any more.`;
    throw error;
  });
  return revisit(parts, { record, somebody });
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

/** Secrets only serve the look-ups in Prefect: where they cannot be read, the answer says that it could not look. */
async function loadLeniently(context: CliContext): Promise<LoadedContext> {
  return context.loadContext({ secrets: 'read' }).catch(() => context.loadContext({ secrets: 'skip' }));
}

function createParts(
  { config, paths }: LoadedContext,
  own: OwnPolicies,
  prefect: Pick<ExplainerParts, 'lookup' | 'makerOf' | 'knowsFlow' | 'leaseOf'>,
): ExplainerParts {
  const catalogue = createCatalogue();
  const actions = collectActions(catalogue.operations);
  const revision = publishedRevision(join(paths.root, 'revision.json'));
  const policy = createPolicyEngine({ actions, revision: revision ?? 0, policies: { ...loadBuiltInPolicies(), ...own.texts } });
  const sources = new Map([...loadPolicySources(), ...own.sources]);
  return {
    catalogue,
    actions,
    policy,
    sources,
    publicUrl: config.publicUrl,
    services: config.services,
    forwardHosts: config.forwardProxy?.allow ?? null,
    ...prefect,
    revision,
  };
}

function lazyStore(config: Config): { readonly open: () => Promise<Store>; readonly close: () => Promise<void> } {
  let opened: Promise<Store> | undefined;
  return {
    open: () => {
      opened ??= existsSync(config.storeFile) ? openStore({ file: config.storeFile, clock: systemClock }) : Promise.reject(noStore(config));
      return opened;
    },
    close: async () => {
      const store = await opened?.catch(() => undefined);
      await store?.close();
    },
  };
}

function noStore({ storeFile }: Config): CommandFailed {
  return new CommandFailed(
    `There is no store at ${storeFile} yet, so nobody is known: add an account or a token, name the --state-dir, or ask for role:viewer.`,
  );
}

function print(context: CliContext, result: Explanation | Revisited, json: boolean): void {
  if (json) context.out.write(`${jsonText(result)}\n`);
  else {
    const paint = painter(context.out, context.env);
    const lines = 'record' in result ? renderRevisited(result, paint) : renderExplanation(result, paint);
    context.out.write(`${lines.join('\n')}\n`);
  }
}

function inWords(error: unknown): unknown {
  if (!(error instanceof LictorError)) return error;
  if (error.code === 'usage') return error instanceof UsageError ? error : new UsageError(error.message);
  return error instanceof CommandFailed ? error : new CommandFailed(error.message, error);
}
