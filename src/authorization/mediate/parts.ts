// What the mediator is made of.

import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { GuardedTags } from '../../contract/scope/guarded.ts';
import type { Catalogue } from '../../prefect/catalog/catalogue.ts';
import type { ObjectCache } from '../../prefect/client/object-cache.ts';
import type { Upstream } from '../../prefect/client/upstream.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import type { Ledger } from '../../record/ledger/ledger.ts';
import type { KnownFlows } from '../../store/known-flows.ts';
import type { Leases } from '../../store/leases.ts';
import type { Makers } from '../../store/makers.ts';
import type { Decider } from '../decide/decider.ts';
import type { BodyWork } from './body-work.ts';
import type { RunParts } from './run-parts.ts';
import type { StampConfig } from './stamp.ts';

export interface MediatorParts {
  readonly catalogue: Catalogue;
  readonly decider: Pick<Decider, 'authorizeNow' | 'precheck' | 'readsParameters'>;
  readonly upstream: Pick<Upstream, 'request'>;
  readonly ledger: Pick<Ledger, 'append' | 'intend' | 'settle' | 'healthy'>;
  readonly clock: Clock;
  readonly eventRules: EventRules;
  /** What decisions on objects remember. */
  readonly objects: Pick<ObjectCache, 'forget'>;
  readonly makers: Pick<Makers, 'put' | 'forget' | 'createdBy'>;
  readonly knownFlows: Pick<KnownFlows, 'put'>;
  readonly leases: Pick<Leases, 'put' | 'ends'>;
  readonly bodies: Pick<BodyWork, 'begin'>;
  readonly config: {
    readonly publicUrl: Pick<Config['publicUrl'], 'basePath'>;
    readonly forwardHeaders: readonly string[];
    readonly ledger: Pick<Config['ledger'], 'failClosed'>;
  } & StampConfig;
  readonly guardedTags: GuardedTags;
  /** Left out: no run gets a token. */
  readonly runTokens?: RunParts;
  /** Left out: time itself. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Reports what the client does not see; for the log. */
  readonly warn?: (message: string, error: unknown) => void;
}
