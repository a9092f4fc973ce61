// What the relay needs from the parts below it: only the members it calls.

import type { Authorization } from '../../authorization/decide/decider.ts';
import type { EventTagGuard } from '../../authorization/decide/event-tags.ts';
import type { FromEdge } from '../../authorization/decide/from-edge.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Operation } from '../../contract/operation.ts';
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
    /** `ws(s)://...` of a path under Prefect's root, and what Prefect wants in the first frame there; null when it wants nothing. `attempt` counts from 0: while Prefect's credential is replaced, the next one shows the other. */
    socketTarget(path: string, attempt: number): { readonly url: string; readonly token: string | null };
    /** PEM of the authorities for `wss:`; null: the system's. */
    socketAuthorities(): string | null;
  };
  readonly ledger: { append(record: NewRecord): Promise<unknown> };
  /** Polled as a backstop: when the number moves, every open socket is decided again. */
  readonly store: { changeNumber(): Promise<number> };
  /** Whatever else connects gets no answer. */
  readonly fromEdge: FromEdge;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly limits?: Partial<RelayLimits>;
  /** One gate per socket, made when it is authorised; the default passes every text frame. */
  readonly gateFor?: (operation: Operation, authorization: Authorization & { ok: true }) => FrameGate;
  /** What a scoped principal reaches; null: everything. Left out: nobody is scoped. */
  readonly scopeFilterOf?: (authorization: Authorization & { ok: true }) => ScopeFilter | null;
  /** Looks up whose the runs are that events of a run's token name; left out: nothing but the run itself is known. */
  readonly recordLineage?: RecordLineage;
  /** Says which events give a guarded tag that is not their sender's. */
  readonly eventTags: EventTagGuard;
  /** Resolves when a large frame may be read: others come between two of them. */
  readonly turn: () => Promise<void>;
  readonly log?: RelayLog;
  /** Sockets of services; left out: there are none. */
  readonly services?: Omit<ServiceSocketParts, 'clock'>;
}

/** Pino fits. */
export interface RelayLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}
