// The state of one service in one configuration: its servers, their pool, its credential and its budget of repeats.
import type { Service, ServiceServer } from '../../../config/service.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { openAgent, POOLED, type ServiceAgent, UNPOOLED } from '../agent.ts';
import { type ChooseServers, createChooseServers } from '../choose-servers.ts';
import { type AuthStrategy, authStrategyOf } from './auth-strategy.ts';
import { createAwsSigner } from './aws-signer.ts';
import { type CacheRules, cacheRulesOf } from './cache-rules.ts';
import { createRetryBudget, type RetryBudget } from './retry-budget.ts';

export interface ServiceRuntime {
  readonly service: Service;
  readonly strategy: AuthStrategy | undefined;
  readonly cacheRules: CacheRules;
  readonly budget: RetryBudget;
  /** In the order in which they are tried. */
  choose(caller: string): readonly ServiceServer[];
  /** `fresh`: a new connection. */
  agent(fresh: boolean): ServiceAgent;
  /** Called at the beginning of a call at this server. Returns a function for its end. */
  begin(server: ServiceServer): () => void;
  /** It refused or broke a connection, or was late. */
  failed(server: ServiceServer): void;
}

export interface RuntimeParts {
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly log: { warn(fields: object, text: string): void };
  /** By its health checks. */
  readonly isDown: (service: Service, server: ServiceServer) => boolean;
}

/** The same as nginx's `fail_timeout`. */
const SKIPPED_MS = 2_000;

export function createServiceRuntime(service: Service, forwardHeaders: readonly string[], parts: RuntimeParts): ServiceRuntime {
  const { clock, steady, log, isDown } = parts;
  const onTrouble = (what: string): void => log.warn({ service: service.name, what }, 'no AWS credentials for a service');
  const open = new Map<ServiceServer, number>();
  const skippedUntil = new Map<ServiceServer, number>();
  const choose = createChooseServers({ isDown, openAt: (_service, server) => open.get(server) ?? 0 });
  const count = (server: ServiceServer, by: number): void => void open.set(server, (open.get(server) ?? 0) + by);
  const agents = new Map<boolean, ServiceAgent>();
  return {
    service,
    strategy: authStrategyOf(service, (sigv4) => createAwsSigner(sigv4, { clock, steady, onTrouble })),
    cacheRules: cacheRulesOf(service, forwardHeaders),
    budget: createRetryBudget(service.retries?.budget ?? null, steady),
    choose: (caller) => unlessSkipped(service, choose, { caller, isSkipped: (server) => steady() < (skippedUntil.get(server) ?? 0) }),
    agent(fresh) {
      const known = agents.get(fresh) ?? openAgent(service, fresh ? UNPOOLED : POOLED);
      agents.set(fresh, known);
      return known;
    },
    begin(server) {
      count(server, 1);
      return () => count(server, -1);
    },
    failed(server) {
      // Health checks replace this rule.
      if (service.health === null) skippedUntil.set(server, steady() + SKIPPED_MS);
    },
  };
}

interface Skipping {
  readonly caller: string;
  readonly isSkipped: (server: ServiceServer) => boolean;
}

/** A server that has just failed gets no call while another one is available. */
function unlessSkipped(service: Service, choose: ChooseServers, { caller, isSkipped }: Skipping): readonly ServiceServer[] {
  const servers = service.servers.filter((server) => !isSkipped(server));
  const chosen = servers.length === 0 ? [] : choose({ ...service, servers }, caller);
  return chosen.length > 0 ? chosen : choose(service, caller);
}
