// Reads the configuration again: either all of it is applied, or nothing has changed and every problem is told.
import { checkMetadataFiles } from './authn/saml/check-files.ts';
import { collectActions } from './catalog/actions.ts';
import { ensureOwnCertificate } from './certificates/own.ts';
import { certificateFingerprint, checkCertificates, upstreamFingerprint } from './config/certificates.ts';
import { changedSections } from './config/changed-sections.ts';
import type { Config } from './config/config.ts';
import { type Candidate, loadCandidate, loadInUse } from './config/in-use.ts';
import type { Problem } from './config/problem.ts';
import { checkRestartKeys } from './config/restart-keys.ts';
import { LictorError } from './contract/error.ts';
import type { FromControl } from './contract/ipc.ts';
import type { PolicyOutcome, PolicyRequest } from './contract/policy-outcome.ts';
import type { Current } from './current.ts';
import type { AppliedEdge } from './edge/apply.ts';
import { checkEdge } from './edge/check.ts';
import type { Prepared } from './forward/forward.ts';
import { applyPolicies, keepPolicySet } from './policies-in-force.ts';
import type { CheckedPolicies, OwnPolicies } from './policy/own/check.ts';
import { checkByThread } from './policy/own/check-by-thread.ts';
import { failure, localUser, recordReload, syncOrLog, tellApplied, tellRefused } from './reload-told.ts';
import { buildRooms, type House, type Rooms } from './rooms.ts';

export interface Reloader {
  /** SIGHUP. Never rejects: what is wrong is told and recorded. */
  reload(): Promise<void>;
  /**
   * What is in use, with its secrets read again: for the credential of Prefect while it is replaced. The file itself, which may be
   * half edited, is not looked at. Rejects when it could not be applied, or does not hold everywhere yet: reading what was there
   * before once more goes back.
   */
  rereadSecrets(): Promise<void>;
  /** The own policies as they are on the disk now; everything else stays. Rejects when that could not be done; nothing has changed then. */
  applyPolicies(request: PolicyRequest): Promise<PolicyOutcome>;
  /** Certificate files with other contents are handed to nginx; broken ones are told once and tried again when they change. */
  renewCertificates(): Promise<void>;
}

export interface ReloaderParts {
  readonly house: House;
  readonly current: Current;
  readonly configFile: string;
  readonly env: NodeJS.ProcessEnv;
  /** Renders, tests and swaps nginx's files; throws without having changed anything. */
  readonly applyEdge: (config: Config) => Promise<AppliedEdge>;
  /** Listens where the next configuration has its forward proxy and its metrics, before anything is changed. */
  readonly prepareListeners: (config: Config) => Promise<Prepared>;
  /** Closes the sockets that are open now with 1012, after that time: stock clients come back at once. */
  readonly moveSockets: (afterMs: number) => Promise<void>;
  readonly tell: (message: FromControl) => void;
}

export function createReloader(parts: ReloaderParts): Reloader {
  const { config } = parts.current.get();
  const state: State = { certificates: certificateFingerprint(config), upstreams: upstreamFingerprint(config), refusedCertificates: null, refusedOwn: null };
  const oneByOne = createQueue();
  return {
    reload: () => oneByOne(() => reload(parts, state)),
    rereadSecrets: () => oneByOne(() => rereadSecrets(parts, state)),
    applyPolicies: (request) => oneByOne(() => applyPolicies({ ...parts, retire: (former) => retire(parts, former) }, request)),
    renewCertificates: () => oneByOne(() => renew(parts, state)),
  };
}

/** Below nginx's worker_shutdown_timeout. */
const FORMER_WORKERS_MS = 50 * 60_000;
/** By then nginx's new workers accept connections. */
const FORMER_VERDICTS_MS = 10_000;

interface State {
  /** What nginx has loaded. */
  certificates: string | null;
  /** The same of what it meets Prefect and services with: only a reload looks at that. */
  upstreams: string | null;
  refusedCertificates: string | null;
  /** What was told about the files that the gateway makes itself. */
  refusedOwn: string | null;
}

async function reload(parts: ReloaderParts, state: State): Promise<void> {
  const { configFile, env, house, current } = parts;
  const candidate = loadCandidate({ file: configFile, env, paths: house.paths });
  try {
    const own = candidate.loaded.ok ? await ownPolicies(parts, candidate.loaded.config) : undefined;
    const problems = candidate.loaded.ok ? [...(own?.problems ?? []), ...(await findProblems(parts, candidate.loaded.config))] : candidate.loaded.problems;
    if (!candidate.loaded.ok || own === undefined || problems.length > 0) return await tellRefused(parts, problems);
    const from = current.get().revision;
    const done = await apply(parts, state, { config: candidate.loaded.config, policies: own.policies });
    keep(parts, candidate);
    await tellApplied(parts, { from, ...done });
  } catch (error) {
    await tellRefused(parts, [failure(parts, error)]);
  } finally {
    candidate.discard();
  }
}

async function rereadSecrets(parts: ReloaderParts, state: State): Promise<void> {
  const { house, current, configFile, env } = parts;
  const loaded = loadInUse({ file: configFile, env, paths: house.paths });
  if (loaded === undefined) throw new LictorError('config-invalid', 'There is no configuration in use.');
  const problems = loaded.ok ? await findProblems(parts, loaded.config) : loaded.problems;
  if (!loaded.ok || problems.length > 0) throw new LictorError('config-invalid', problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  const { revision: from, policies } = current.get();
  const done = await apply(parts, state, { config: loaded.config, policies });
  await tellApplied(parts, { from, ...done });
  if (done.unfinished.length > 0) throw new LictorError('reload-unfinished', `It is applied, but ${done.unfinished.join('; ')}.`);
}

async function ownPolicies({ house }: ReloaderParts, { policies }: Config): Promise<CheckedPolicies> {
  const checked = await checkByThread(collectActions(house.catalogue.operations), policies);
  for (const { file, line, message } of checked.warnings) house.log.warn({ file, line }, message);
  return checked;
}

/** Nothing that runs is touched. nginx is asked only about what is sound. */
async function findProblems({ current, house, env }: ReloaderParts, next: Config): Promise<readonly Problem[]> {
  const fixed = checkRestartKeys(current.get().config, next);
  if (fixed.length > 0) return fixed;
  return [...checkMetadataFiles(next, house.clock()), ...(await checkEdge(next, house.paths, env, house.clock))];
}

/** The files of nginx are the last thing that can refuse it: behind the swap it is applied, and only told what is not done yet. */
async function apply(parts: ReloaderParts, state: State, { config: next, policies }: Next): Promise<Done> {
  const { current } = parts;
  const listeners = await parts.prepareListeners(next);
  const [certificates, upstreams] = [certificateFingerprint(next), upstreamFingerprint(next)];
  const { rooms, edge } = await ready(parts, { config: next, policies }).catch((error: unknown) => {
    listeners.discard();
    throw error;
  });
  const former = current.swap(rooms);
  listeners.commit();
  const nginx = edge.changed || certificates !== state.certificates || upstreams !== state.upstreams;
  if (nginx) reloadEdge(parts, next);
  state.certificates = certificates;
  state.upstreams = upstreams;
  state.refusedCertificates = null;
  const unfinished = await follow(parts, former.config, next);
  retire(parts, former);
  return { nginx, changed: changedSections(former, { config: next, policies }), unfinished };
}

interface Done {
  /** nginx has to read its files. */
  readonly nginx: boolean;
  readonly changed: readonly string[];
  readonly unfinished: readonly string[];
}

/** What a swap brings with it, each step whatever became of the others; answers what failed, in words that complete "it is applied, but". */
async function follow({ house, moveSockets }: ReloaderParts, former: Config, next: Config): Promise<readonly string[]> {
  const steps: readonly (readonly [unfinished: string, step: () => Promise<void>])[] = [
    ['what was decided before is not all taken back yet, which is tried again on its own', house.sync],
    ['the exports go on as they were: reload again', () => house.exports.use(next.exports)],
    ['the traces go on as they were: reload again', () => house.tracing.use(next.traces)],
    // They lead to a Prefect that is no longer the one.
    ['open sockets still lead to the former Prefect: reload again', async () => (leadsElsewhere(former, next) ? moveSockets(0) : undefined)],
  ];
  const unfinished: string[] = [];
  for (const [what, step] of steps) {
    try {
      await step();
    } catch (error) {
      house.log.error({ err: error }, `a reload is applied, but ${what}`);
      unfinished.push(what);
    }
  }
  return unfinished;
}

async function ready(parts: ReloaderParts, { config, policies }: Next): Promise<{ readonly rooms: Rooms; readonly edge: AppliedEdge }> {
  const rooms = await buildRooms(parts.house, config, policies);
  try {
    return { rooms, edge: await keepAndApplyEdge(parts, rooms) };
  } catch (error) {
    await rooms.retire();
    throw error;
  }
}

interface Next {
  readonly config: Config;
  readonly policies: OwnPolicies;
}

async function keepAndApplyEdge({ house, applyEdge }: ReloaderParts, rooms: Rooms): Promise<AppliedEdge> {
  const forget = await keepPolicySet(house.store.policySets, rooms, { by: localUser().principal, onBehalfOf: [], why: '' });
  return applyEdge(rooms.config).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
}

/** nginx's former workers carry the open sockets on, and cut them off after an hour (src/edge): they are asked to move before. */
function reloadEdge({ tell, moveSockets, house }: ReloaderParts, { tls }: Config): void {
  tell({ type: 'edge-reload' });
  // Those verified certificates by authorities that may be no longer believed.
  moveSockets(tls?.client == null ? FORMER_WORKERS_MS : FORMER_VERDICTS_MS).catch((error: unknown) =>
    house.log.error({ err: error }, 'sockets of former workers did not close'),
  );
}

function keep({ house }: ReloaderParts, candidate: Candidate): void {
  try {
    candidate.keep();
  } catch (error) {
    // It is applied all the same; a control plane that is started again would use what was applied before.
    house.log.error({ err: error }, 'the configuration in use could not be kept');
  }
}

/** A credential that joins, or that goes after another has taken its place, changes nothing for a socket that is open. */
function leadsElsewhere({ prefect: former }: Config, { prefect: next }: Config): boolean {
  const rotates = former.next !== null || next.next !== null;
  const [left, right] = [former, next].map((prefect) => JSON.stringify(rotates ? [prefect.servers, prefect.caFile] : prefect));
  return left !== right;
}

function retire({ house }: ReloaderParts, former: Rooms): void {
  former.retire().catch((error: unknown) => house.log.error({ err: error }, 'what the former configuration had open did not close'));
}

async function renew(parts: ReloaderParts, state: State): Promise<void> {
  const { house, current, env } = parts;
  const { config, revision } = current.get();
  const own = await renewOwn(parts, state, config);
  if (!own) return;
  const fingerprint = certificateFingerprint(config);
  if (fingerprint === state.certificates || fingerprint === state.refusedCertificates) return;
  const pair = checkCertificates(config);
  const problems = pair.length > 0 ? pair : await checkEdge(config, house.paths, env, house.clock);
  if (problems.length > 0) {
    // Certificate and key are seldom replaced in one step: the next look may find them whole.
    state.refusedCertificates = fingerprint;
    return tellRefused(parts, problems, 'system');
  }
  try {
    if (config.tls?.client != null) await believeAnew(parts, config);
  } catch (error) {
    state.refusedCertificates = fingerprint;
    return tellRefused(parts, [failure(parts, error)], 'system');
  }
  state.certificates = fingerprint;
  reloadEdge(parts, config);
  house.log.info('certificate renewed: nginx reads it');
  parts.tell({ type: 'notice', text: 'lictor: the certificate was renewed; open connections stay.' });
  await recordReload(parts, {
    principal: 'system',
    principal_kind: null,
    reason: 'certificate-renewed',
    decision: 'allow',
    revision,
    resource_id: 'certificate',
  });
}

/** Client authorities and revocation lists: what was taken back holds for connections and sockets that are open, too. */
async function believeAnew(parts: ReloaderParts, config: Config): Promise<void> {
  const rooms = await buildRooms(parts.house, config, parts.current.get().policies);
  const former = parts.current.swap(rooms);
  await syncOrLog(parts.house);
  retire(parts, former);
}

/** False: the gateway's own files cannot be used, and that has been told once. What nginx has loaded goes on. */
async function renewOwn(parts: ReloaderParts, state: State, { publicUrl, tls }: Config): Promise<boolean> {
  if (tls?.selfMadeBy == null) return true;
  try {
    await ensureOwnCertificate({ publicUrl, paths: parts.house.paths.ownCertificate, nowMs: parts.house.clock() });
    state.refusedOwn = null;
    return true;
  } catch (error) {
    const problem = failure(parts, error);
    if (state.refusedOwn !== problem.message) await tellRefused(parts, [problem], 'system');
    state.refusedOwn = problem.message;
    return false;
  }
}

function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = tail.then(work, work);
    tail = mine;
    return mine;
  };
}
