// The dependencies of the mediator.

import type { Config } from '../../config/config.ts';
import { apiUrlOf, type PublicAddress } from '../../config/sections/public-url.ts';
import type { Clock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { GuardedTags } from '../../contract/scope/guarded.ts';
import type { RunTokenDesk } from '../../identity/authn/run-token/open.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { ObjectCache } from '../../prefect/client/object-cache.ts';
import type { Upstream } from '../../prefect/client/upstream.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import type { Ledger } from '../../record/ledger/ledger.ts';
import type { KnownFlows } from '../../store/known-flows.ts';
import type { Leases } from '../../store/leases.ts';
import type { Makers } from '../../store/makers.ts';
import type { Decider } from '../decide/decider.ts';
import type { BodyWork } from './body-work.ts';
import type { Condition } from './conditions.ts';
import type { StampConfig } from './provenance.ts';

export interface MediatorParts {
  readonly catalogue: Catalogue;
  readonly decider: Pick<Decider, 'authorizeNow' | 'precheck' | 'readsParameters'>;
  readonly upstream: Pick<Upstream, 'request'>;
  readonly ledger: Pick<Ledger, 'append' | 'intend' | 'settle' | 'healthy'>;
  readonly clock: Clock;
  readonly eventRules: EventRules;
  /** The objects that decisions cache. */
  readonly objects: Pick<ObjectCache, 'forget'>;
  readonly makers: Pick<Makers, 'put' | 'forget' | 'createdBy'>;
  readonly knownFlows: Pick<KnownFlows, 'put'>;
  readonly leases: Pick<Leases, 'put' | 'ends'>;
  readonly bodies: Pick<BodyWork, 'begin'>;
  readonly config: {
    readonly publicUrl: PublicAddress;
    readonly forwardHeaders: readonly string[];
    readonly ledger: Pick<Config['ledger'], 'failClosed'>;
  } & StampConfig;
  readonly guardedTags: GuardedTags;
  /** Left out: the policies alone decide. */
  readonly conditions?: Pick<Condition, 'check' | 'refusesAtOnce' | 'readsParameters'>;
  /** Left out: no run gets a token. */
  readonly runTokens?: RunTokenParts;
  /** Tests replace it. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Logs a problem that the client does not see. */
  readonly warn?: (message: string, error: unknown) => void;
}

/** What the handlers need for the tokens of flow runs. */
export interface RunTokenParts {
  readonly desk: RunTokenDesk;
  /** Reads objects of Prefect. The answer may be some seconds old. */
  readonly recent: Lookup;
  /** The principal that created an object through the gateway; null: unknown. */
  readonly makerOf: (type: 'Automation', id: string) => Promise<string | null>;
  /** The address of the API, which replaces any other address in the job variables of a run. */
  readonly apiUrl: string;
  readonly record: (record: Omit<NewRecord, 'time'>) => Promise<void>;
  readonly warn: (message: string, error: unknown) => void;
}

export interface RunTokenSources extends Pick<RunTokenParts, 'desk' | 'recent' | 'makerOf' | 'warn'> {
  readonly config: { readonly publicUrl: PublicAddress };
  readonly ledger: Pick<Ledger, 'append'>;
  readonly clock: Clock;
  readonly revision: number;
}

export function createRunTokenParts({ config, ledger, clock, revision, ...parts }: RunTokenSources): RunTokenParts {
  return {
    ...parts,
    apiUrl: apiUrlOf(config.publicUrl),
    record: (record) => ledger.append({ time: new Date(clock()).toISOString(), mode: 'enforce', revision, ...record }),
  };
}
