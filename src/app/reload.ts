// Swaps the runtime for a new configuration: applies all of it, or changes nothing and reports every problem.

import { ruleProblems } from '../authorization/approvals/rule-problems.ts';
import { observationsIn } from '../authorization/decide/observation.ts';
import type { CheckedPolicies, OwnPolicies } from '../authorization/policy/own/check.ts';
import { checkByThread } from '../authorization/policy/own/check-by-thread.ts';
import { certificateFingerprint, upstreamFingerprint } from '../config/certificates.ts';
import { changedSections } from '../config/changed-sections.ts';
import type { Config } from '../config/config.ts';
import { type Candidate, loadCandidate, loadInUse } from '../config/in-use.ts';
import type { Problem } from '../config/problem.ts';
import { checkRestartKeys } from '../config/restart-keys.ts';
import { LictorError } from '../contract/error.ts';
import type { DraftOutcome, DraftRequest, PolicyOutcome, PolicyRequest } from '../contract/policy-outcome.ts';
import type { AppliedEdge } from '../edge/nginx/apply.ts';
import { checkEdge } from '../edge/nginx/check.ts';
import { checkMetadataFiles } from '../identity/authn/saml/check-files.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { adoptPolicies, applyPolicies, storedPolicies, storeLoadedSet } from './active-policies.ts';
import { applyDraft } from './apply-draft.ts';
import { failure, reportApplied, reportRejected } from './reload-report.ts';
import { type ReloaderParts, type ReloadState, reloadEdge, retire } from './reload-steps.ts';
import { renewCertificates } from './renew-certificates.ts';
import { buildRuntime, type Runtime } from './runtime.ts';

export type { ReloaderParts } from './reload-steps.ts';

export interface Reloader {
  /** SIGHUP. Never rejects: problems are reported and recorded. */
  reload(): Promise<void>;
  /**
   * Reads the secrets of the configuration in use again, while Prefect's credential is replaced. Does not read the file itself,
   * which may be half edited. Rejects when the secrets could not be applied, or are not in effect everywhere yet; to go back,
   * restore the former secrets and call it again.
   */
  rereadSecrets(): Promise<void>;
  /** Applies the own policies as they are on the disk now, and nothing else. Rejects when it failed; nothing has changed then. */
  applyPolicies(request: PolicyRequest): Promise<PolicyOutcome>;
  /** Applies a set of the console, and writes it into the directory. Rejects as `applyPolicies`. */
  applyDraft(request: DraftRequest): Promise<DraftOutcome>;
  /** Brings the newest set in the store into force: another node may have applied it. */
  adoptPolicies(): Promise<void>;
  /** Applies the configuration in use again: each node enforces another part of the limits. */
  shareLimits(): Promise<void>;
  /** Makes nginx load certificate files that have changed. Broken ones are reported once and tried again when they change. */
  renewCertificates(): Promise<void>;
}

export function createReloader(parts: ReloaderParts): Reloader {
  const { config } = parts.current.get();
  const state: ReloadState = {
    policiesMs: 0,
    certificates: certificateFingerprint(config),
    upstreams: upstreamFingerprint(config),
    refusedCertificates: null,
    refusedOwn: null,
  };
  const oneByOne = createQueue();
  return {
    reload: () => oneByOne(() => reload(parts, state)),
    rereadSecrets: () => oneByOne(() => rereadSecrets(parts, state)),
    applyPolicies: (request) => oneByOne(() => applyPolicies({ ...parts, retire: (former) => retire(parts, former) }, request)),
    applyDraft: (request) => oneByOne(() => applyDraft({ ...parts, retire: (former) => retire(parts, former) }, request)),
    adoptPolicies: () => oneByOne(() => adoptPolicies({ ...parts, retire: (former) => retire(parts, former) }, state)),
    shareLimits: () => oneByOne(async () => void (await apply(parts, state, parts.current.get()))),
    renewCertificates: () => oneByOne(() => renewCertificates(parts, state)),
  };
}

async function reload(parts: ReloaderParts, state: ReloadState): Promise<void> {
  const { configFile, env, shared, current } = parts;
  const candidate = loadCandidate({ file: configFile, env, paths: shared.paths });
  try {
    const own = candidate.loaded.ok ? await ownPolicies(parts, candidate.loaded.config) : undefined;
    const problems = candidate.loaded.ok ? [...(own?.problems ?? []), ...(await findProblems(parts, candidate.loaded.config))] : candidate.loaded.problems;
    if (!candidate.loaded.ok || own === undefined || problems.length > 0) return await reportRejected(parts, problems);
    const from = current.get().revision;
    const done = await apply(parts, state, { config: candidate.loaded.config, policies: own.policies });
    saveInUse(parts, candidate);
    await reportApplied(parts, { from, ...done });
  } catch (error) {
    await reportRejected(parts, [failure(parts, error)]);
  } finally {
    candidate.discard();
  }
}

async function rereadSecrets(parts: ReloaderParts, state: ReloadState): Promise<void> {
  const { shared, current, configFile, env } = parts;
  const loaded = loadInUse({ file: configFile, env, paths: shared.paths });
  if (loaded === undefined) throw new LictorError('config-invalid', 'There is no configuration in use.');
  const problems = loaded.ok ? await findProblems(parts, loaded.config) : loaded.problems;
  if (!loaded.ok || problems.length > 0) throw new LictorError('config-invalid', problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  const { revision: from, policies } = current.get();
  const done = await apply(parts, state, { config: loaded.config, policies });
  await reportApplied(parts, { from, ...done });
  if (done.unfinished.length > 0) throw new LictorError('reload-unfinished', `It is applied, but ${done.unfinished.join('; ')}.`);
}

async function ownPolicies({ shared }: ReloaderParts, config: Config): Promise<CheckedPolicies> {
  const actions = collectActions(shared.catalogue.operations);
  if (shared.membership !== null) return storedPolicies({ actions, config, policySets: shared.store.policySets, several: true });
  const checked = await checkByThread(actions, config.policies);
  for (const { file, line, message } of checked.warnings) shared.log.warn({ file, line }, message);
  return checked;
}

/** Changes nothing. nginx checks only a configuration that has no other problem. */
async function findProblems({ current, shared, env }: ReloaderParts, next: Config): Promise<readonly Problem[]> {
  const fixed = checkRestartKeys(current.get().config, next);
  if (fixed.length > 0) return fixed;
  return [...ruleProblems(next.approvals), ...checkMetadataFiles(next, shared.clock()), ...(await checkEdge(next, shared.paths, env, shared.clock))];
}

/** Applying nginx's files is the last step that can fail. Steps after the swap are not rolled back; their failures are reported. */
async function apply(parts: ReloaderParts, state: ReloadState, { config: next, policies }: Next): Promise<Done> {
  const { current } = parts;
  const listeners = await parts.prepareListeners(next);
  const [certificates, upstreams] = [certificateFingerprint(next), upstreamFingerprint(next)];
  const { runtime, edge } = await buildAndApply(parts, { config: next, policies }).catch((error: unknown) => {
    listeners.discard();
    throw error;
  });
  const former = current.swap(runtime);
  parts.useServices(next);
  listeners.commit();
  const nginx = edge.changed || certificates !== state.certificates || upstreams !== state.upstreams;
  if (nginx) reloadEdge(parts, next);
  state.certificates = certificates;
  state.upstreams = upstreams;
  state.refusedCertificates = null;
  const unfinished = await runFollowUps(parts, former.config, next);
  retire(parts, former);
  return { nginx, changed: changedSections(former, { config: next, policies }), unfinished };
}

interface Done {
  /** nginx has to read its files. */
  readonly nginx: boolean;
  readonly changed: readonly string[];
  readonly unfinished: readonly string[];
}

/** Steps after the swap: each runs even when another failed. Returns what failed, in words that complete "it is applied, but". */
async function runFollowUps({ shared, moveSockets }: ReloaderParts, former: Config, next: Config): Promise<readonly string[]> {
  const steps: readonly (readonly [unfinished: string, step: () => Promise<void>])[] = [
    ['what was decided before is not all taken back yet, which is tried again on its own', shared.sync],
    ['the 30 days of observe mode are not stored: reload again', () => shared.store.observations.keep(observationsIn(next))],
    ['what a provider without `scim` has sent is still stored: reload again', () => shared.store.scim.keepOnly(next.scim.map(({ idp }) => idp))],
    ['the exports go on as they were: reload again', () => shared.exports.use(next.exports)],
    ['the traces go on as they were: reload again', () => shared.tracing.use(next.traces)],
    // They lead to a Prefect that the new configuration does not name.
    ['open sockets still lead to the former Prefect: reload again', async () => (leadsElsewhere(former, next) ? moveSockets(0) : undefined)],
  ];
  const unfinished: string[] = [];
  for (const [what, step] of steps) {
    try {
      await step();
    } catch (error) {
      shared.log.error({ err: error }, `a reload is applied, but ${what}`);
      unfinished.push(what);
    }
  }
  return unfinished;
}

async function buildAndApply(parts: ReloaderParts, { config, policies }: Next): Promise<{ readonly runtime: Runtime; readonly edge: AppliedEdge }> {
  const runtime = await buildRuntime(parts.shared, config, policies);
  try {
    return { runtime, edge: await storeAndApplyEdge(parts, runtime) };
  } catch (error) {
    await runtime.retire();
    throw error;
  }
}

interface Next {
  readonly config: Config;
  readonly policies: OwnPolicies;
}

async function storeAndApplyEdge({ shared, applyEdge }: ReloaderParts, runtime: Runtime): Promise<AppliedEdge> {
  const forget = await storeLoadedSet(shared, runtime);
  return applyEdge(runtime.config).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
}

function saveInUse({ shared }: ReloaderParts, candidate: Candidate): void {
  try {
    candidate.keep();
  } catch (error) {
    // The new configuration stays in use; a control plane that restarts would use the one before.
    shared.log.error({ err: error }, 'the configuration in use could not be saved');
  }
}

/** Adding a second credential, or removing the former one after a rotation, changes nothing for an open socket. */
function leadsElsewhere({ prefect: former }: Config, { prefect: next }: Config): boolean {
  const rotates = former.next !== null || next.next !== null;
  const [left, right] = [former, next].map((prefect) => JSON.stringify(rotates ? [prefect.servers, prefect.caFile] : prefect));
  return left !== right;
}

function createQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = tail.then(work, work);
    tail = mine;
    return mine;
  };
}
