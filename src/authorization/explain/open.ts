// Builds what explanations need from a configuration and its own policies: for commands on the machine, and for the thread of the gateway.
import type { Config } from '../../config/config.ts';
import { systemClock } from '../../contract/clock.ts';
import { createGuardedTags } from '../../contract/scope/guarded.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { Store } from '../../store/store.ts';
import { createEngineOfChecked } from '../policy/engine.ts';
import { mayPollBy } from '../policy/may-poll.ts';
import type { OwnPolicies } from '../policy/own/check.ts';
import { loadBuiltInPolicies } from '../policy/policies.ts';
import { loadPolicySources } from '../policy/sources.ts';
import type { ExplainerParts } from './explainer.ts';
import { groupPrincipal, isGroup } from './group.ts';
import { findPrincipal, knownIds, type PrincipalParts, type ResolvedPrincipal, withLock } from './principal.ts';

export interface ExplainerSources {
  readonly config: Pick<Config, 'publicUrl' | 'services' | 'forwardProxy' | 'identityProviders' | 'roles' | 'agents'>;
  /** Checked. */
  readonly own: Pick<OwnPolicies, 'texts' | 'sources'>;
  /** Null: nothing has been published yet. */
  readonly revision: number | null;
  readonly lookup: Lookup;
  /** Throws when there is no store. */
  readonly store: () => Promise<Store>;
  /** Undefined: there is no store yet. */
  readonly storeIfAny: () => Promise<Store | undefined>;
}

export interface Explainer {
  readonly parts: ExplainerParts;
  readonly people: People;
}

export interface People {
  /** Accepts each form that a user may write. */
  readonly find: (principal: string) => Promise<ResolvedPrincipal>;
  /** Accepts only a principal of a record, because a person may have the name `group:x` at their provider. */
  readonly findRecorded: (principal: string) => Promise<ResolvedPrincipal>;
  /** Of every principal of the store. */
  readonly ids: () => Promise<readonly string[]>;
}

export function openExplainer(sources: ExplainerSources): Explainer {
  const { config, own, storeIfAny } = sources;
  const catalogue = createCatalogue();
  const actions = collectActions(catalogue.operations);
  const policy = createEngineOfChecked({ actions, revision: sources.revision ?? 0, policies: { ...loadBuiltInPolicies(), ...own.texts } });
  const parts: ExplainerParts = {
    ...{ catalogue, actions, policy },
    sources: new Map([...loadPolicySources(), ...own.sources]),
    publicUrl: config.publicUrl,
    services: config.services,
    forwardHosts: config.forwardProxy?.allow ?? null,
    lookup: sources.lookup,
    makerOf: async (type, id) => (await storeIfAny())?.makers.of(type, id) ?? null,
    knowsFlow: async (principal, flow) => (await storeIfAny())?.knownFlows.has(principal, flow) ?? false,
    leaseOf: async (lease) => (await storeIfAny())?.leases.of(lease) ?? null,
    guardedTags: createGuardedTags(config, async () => (await storeIfAny())?.givenScopes() ?? []),
    revision: sources.revision,
  };
  return { parts, people: peopleOf(sources, mayPollBy(policy)) };
}

function peopleOf({ config, store, storeIfAny }: ExplainerSources, mayPoll: (role: string) => boolean): People {
  const sources = (): PrincipalParts => ({ config, store, nowMs: systemClock(), mayPoll });
  const findRecorded = (text: string) => findPrincipal(text, sources());
  return {
    findRecorded,
    async find(text) {
      if (!isGroup(text)) return findRecorded(text);
      const locks = (await storeIfAny())?.locks ?? { list: async () => [] };
      return withLock(groupPrincipal(text, config), { locks, config });
    },
    async ids() {
      const opened = await storeIfAny();
      return opened === undefined ? [] : await knownIds(opened, sources());
    },
  };
}
