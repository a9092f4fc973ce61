// The members of lower parts that the relay calls.

import type { Authorization } from '../../authorization/decide/decider.ts';
import type { EventTagGuard } from '../../authorization/decide/event-tags.ts';
import type { FromEdge } from '../../authorization/decide/from-edge.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Operation } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { RecordLineage } from '../../prefect/client/record-lineage.ts';
import type { ScopeFilter } from '../../prefect/scope-filter/scope-filter.ts';
import type { FrameGate } from './frame-gate.ts';
import type { RelayLimits } from './limits.ts';
import type { ServiceSocketParts } from './services/parts.ts';

export interface RelayParts {
  readonly catalogue: {
    byId(operationId: string): Operation | undefined;
    params(operation: Operation, rawPath: string): Readonly<Record<string, string>> | undefined;
  };
  readonly decider: { authorize(inputs: EdgeInputs, asks: readonly [], frameToken?: string): Promise<Authorization>; readonly revision: number };
  readonly upstream: {
    /** `ws(s)://...` of a path under Prefect's root, and the token for the first frame there; null if Prefect requires none. `attempt` counts from 0: during a rotation of Prefect's credential, the next attempt uses the other one. */
    socketTarget(path: string, attempt: number): { readonly url: string; readonly token: string | null };
    /** PEM of the authorities for `wss:`; null: the system's. */
    socketAuthorities(): string | null;
  };
  readonly ledger: { append(record: NewRecord): Promise<unknown> };
  /** Polled as a backstop: when the number changes, every open socket is decided again. */
  readonly store: { changeNumber(): Promise<number> };
  /** Other connections get no answer. */
  readonly fromEdge: FromEdge;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly limits?: Partial<RelayLimits>;
  /** One gate per socket, created when it is authorised. The default passes every text frame. */
  readonly gateFor?: (operation: Operation, authorization: Authorization & { ok: true }) => FrameGate;
  /** The scope of a principal; null: all objects. Left out: there are no scopes. */
  readonly scopeFilterOf?: (authorization: Authorization & { ok: true }) => ScopeFilter | null;
  /** True: conditions must see each request of this principal, so it gets no socket. Left out: of none. */
  readonly mustMediate?: (principal: Principal, operation: Operation) => boolean;
  /** Looks up the owners of runs that events of a run's token name. Left out: only the run itself is known. */
  readonly recordLineage?: RecordLineage;
  /** Finds events with a guarded tag of another owner. */
  readonly eventTags: EventTagGuard;
  /** Resolves when a large frame may be parsed: other work runs between two of them. */
  readonly turn: () => Promise<void>;
  readonly log?: RelayLog;
  /** Sockets of services. Left out: there are none. */
  readonly services?: Omit<ServiceSocketParts, 'clock'>;
}

/** Pino fits. */
export interface RelayLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}
