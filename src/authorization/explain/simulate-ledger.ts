// Replays the records of the ledger with another set of own policies. Changes nothing.
import { existsSync } from 'node:fs';
import { LictorError } from '../../contract/error.ts';
import type { Principal } from '../../contract/principal.ts';
import type { ActionEntry } from '../../prefect/catalog/actions.ts';
import { type LedgerReader, openLedgerReader } from '../../record/ledger/query.ts';
import type { PolicySet } from '../../store/policy-sets.ts';
import type { Store } from '../../store/store.ts';
import { checkPolicyFiles } from '../policy/own/check.ts';
import { createPartialEngine, type PartialEngine } from '../policy/partial.ts';
import { loadBuiltInPolicies, type PolicyTexts } from '../policy/policies.ts';
import { findPrincipal, type PrincipalParts, type PrincipalStore } from './principal.ts';
import { replay, type SimulationParts } from './simulate.ts';
import { createCollector, type Simulation } from './simulation.ts';

export interface SimulationRun {
  readonly actions: readonly ActionEntry[];
  /** Of the set to try. The set must be valid. */
  readonly candidate: PolicyTexts;
  /** RFC 3339 in UTC with milliseconds. */
  readonly since: string;
  readonly config: PrincipalParts['config'];
  readonly store: PrincipalStore & Pick<Store, 'policySets'>;
  readonly ledgerFile: string;
  readonly nowMs: number;
  /** The most request ids of each group. Left out: all. */
  readonly mostRequests?: number;
  readonly onProgress?: (progress: SimulationProgress) => void;
}

export interface SimulationProgress {
  readonly records: number;
  /** The time of the last replayed record. */
  readonly through: string;
}

const STEP = 2_000;

/** Throws LictorError `ledger-missing`. */
export async function simulateLedger(run: SimulationRun): Promise<Simulation> {
  const { actions, since, ledgerFile, onProgress } = run;
  if (!existsSync(ledgerFile)) throw new LictorError('ledger-missing', `There is no ledger at ${ledgerFile} yet, so there is nothing to replay.`);
  const parts: SimulationParts = {
    actions,
    candidate: createPartialEngine(actions, { ...loadBuiltInPolicies(), ...run.candidate }),
    formerly: enginesOf(await run.store.policySets.list(), actions),
    find: finder(run),
  };
  const reader = openLedgerReader(ledgerFile);
  let records = 0;
  try {
    const collector = createCollector({ since, ledgerFrom: await oldestIn(reader), mostRequests: run.mostRequests });
    for await (const record of reader.audit({ since })) {
      collector.add(record, await replay(parts, record));
      records += 1;
      if (records % STEP === 0) onProgress?.({ records, through: record.time });
    }
    return await collector.whole(async (principal) => [...new Set((await parts.find(principal))?.roles ?? [])]);
  } finally {
    reader.close();
  }
}

async function oldestIn(reader: LedgerReader): Promise<string> {
  for await (const { time } of reader.audit({ limit: 1 })) return time;
  return '';
}

/** One policy engine for each set that was in force. */
function enginesOf(sets: readonly PolicySet[], actions: SimulationParts['actions']): SimulationParts['formerly'] {
  const engines = new Map<PolicySet | undefined, PartialEngine>();
  return (revision) => {
    const set = sets.find((candidate) => candidate.revision <= (revision ?? 0));
    const texts = engines.has(set) || set === undefined ? {} : checkPolicyFiles(actions, set.files).policies.texts;
    const engine = engines.get(set) ?? createPartialEngine(actions, { ...loadBuiltInPolicies(), ...texts });
    engines.set(set, engine);
    return engine;
  };
}

function finder({ config, store, nowMs }: SimulationRun): SimulationParts['find'] {
  const known = new Map<string, Promise<Principal | undefined>>();
  const find = async (id: string): Promise<Principal | undefined> => {
    try {
      return (await findPrincipal(id, { config, store: async () => store, nowMs })).principal;
    } catch (error) {
      if (error instanceof LictorError && error.code === 'principal-unknown') return undefined;
      throw error;
    }
  };
  return (id) => {
    const found = known.get(id) ?? find(id);
    known.set(id, found);
    return found;
  };
}
