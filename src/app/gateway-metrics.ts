// Metrics of the control plane's parts. Lictor counts only if metrics are configured.
import { readdirSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Answerer } from '../authorization/decide/answer.ts';
import type { MetricsListen } from '../config/config.ts';
import type { Bounds, Machine } from '../config/machine.ts';
import type { Clock } from '../contract/clock.ts';
import type { SharedStore } from '../contract/shared-store.ts';
import type { Prepared } from '../proxies/forward/forward.ts';
import type { Ledger } from '../record/ledger/ledger.ts';
import { type Family, gauge } from '../record/metrics/exposition.ts';
import { type Metrics, processFamilies, startMetrics, watchDecisions } from '../record/metrics/metrics.ts';
import type { ReaderFiles } from '../record/metrics/watch.ts';
import type { SinkStatus } from '../record/sinks/protocol.ts';
import type { SpanStatus } from '../record/sinks/spans/tracing.ts';
import type { IntakeStatus } from '../record/timeline/feed/intake.ts';
import type { MemoryUse } from './memory-use.ts';
import { nodeFamilies } from './node-metrics.ts';

export interface MeteredParts {
  readonly ledger: Pick<Ledger, 'healthy'>;
  readonly sockets: () => number;
  readonly machine: Machine;
  readonly bounds: Bounds;
  readonly memoryUse: MemoryUse;
  /** Null: no other node can use the store. */
  readonly sharedStore: () => SharedStore | null;
  readonly redactions: () => number;
  readonly sinks: () => readonly SinkStatus[];
  readonly spans: () => SpanStatus;
  /** Null: another node subscribes to the events of Prefect. */
  readonly events: () => IntakeStatus | null;
  readonly revision: () => number;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'error'>;
}

export interface Metered {
  /** While metrics are on, it measures the time of each decision. */
  readonly answerer: Answerer;
  /** For people that watch. From the first call on, it measures the time of each decision too. */
  families(): readonly Family[];
  /** Opens the new listener; until `commit`, the former one answers. `isPassed`: the control plane before this one has it too. Rejects if it cannot listen. */
  prepare(listen: MetricsListen | null, isPassed?: boolean): Promise<Prepared>;
  close(): Promise<void>;
}

export function meter(files: ReaderFiles, answerer: Answerer, parts: MeteredParts): Metered {
  const decisions = watchDecisions();
  const gather = () => [
    ...decisions.families(),
    ...ownFamilies(parts),
    ...machineFamilies(parts),
    ...nodeFamilies(parts.sharedStore()),
    ...eventFamilies(parts.events()),
    ...sinkFamilies(parts.sinks(), parts.clock()),
    ...spanFamilies(parts.spans()),
  ];
  const close = (metrics: Metrics | undefined): void =>
    void metrics?.close().catch((error: unknown) => parts.log.error({ err: error }, 'a former listener of metrics did not close'));
  let isWatched = false;
  let current: { readonly address: string; readonly metrics: Metrics } | null = null;
  return {
    answerer: { ...answerer, answer: (inputs) => (current === null && !isWatched ? answerer.answer(inputs) : decisions.watch(() => answerer.answer(inputs))) },
    families() {
      isWatched = true;
      return [...gather(), ...processFamilies()];
    },
    async prepare(listen, isPassed = false) {
      const address = JSON.stringify(listen);
      if (address === (current?.address ?? 'null')) return { commit: () => undefined, discard: () => undefined };
      const next = listen === null ? null : { address, metrics: await startMetrics({ listen, isPassed, files, gather }) };
      return {
        commit() {
          close(current?.metrics);
          current = next;
        },
        discard: () => close(next?.metrics),
      };
    },
    close: async () => current?.metrics.close(),
  };
}

function ownFamilies({ ledger, sockets, redactions, revision }: MeteredParts): readonly Family[] {
  return [
    { name: 'sockets_open', type: 'gauge', help: 'Sockets that are open in the relay.', samples: [{ value: sockets() }] },
    { name: 'redactions_total', type: 'counter', help: 'Secrets that answers to agents and approvals did not show.', samples: [{ value: redactions() }] },
    {
      name: 'ledger_healthy',
      type: 'gauge',
      help: '1 while records can be written and the ledger is as it was signed; else changes are refused.',
      samples: [{ value: ledger.healthy() ? 1 : 0 }],
    },
    { name: 'revision', type: 'gauge', help: 'Number of the configuration and policies in use.', samples: [{ value: revision() }] },
  ];
}

function machineFamilies({ machine, bounds, memoryUse }: MeteredParts): readonly Family[] {
  return [
    gauge('memory_limit_bytes', 'Memory of the machine or container.', machine.memoryBytes),
    gauge('memory_use_ratio', 'Memory in use; from 0.85 on, large bodies get 503.', memoryUse()),
    gauge('open_files', 'Open files of the control plane.', openFiles()),
    gauge('open_files_limit', 'The most that it may open.', machine.openFiles),
    gauge('sockets_limit', 'The most sockets in the relay.', bounds.sockets),
  ];
}

/** Undefined while no further file can be opened. */
function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}

function eventFamilies(status: IntakeStatus | null): readonly Family[] {
  if (status === null) return [];
  const { behindMs, stored, dropped, waiting } = status;
  return [
    { name: 'prefect_events_behind_seconds', type: 'gauge', help: 'How far the events of Prefect are behind.', samples: [{ value: behindMs / 1000 }] },
    { name: 'prefect_events_stored_total', type: 'counter', help: 'Events of Prefect that were stored.', samples: [{ value: stored }] },
    { name: 'prefect_events_dropped_total', type: 'counter', help: 'Events left out of a stream, which are asked for again.', samples: [{ value: dropped }] },
    { name: 'prefect_events_waiting', type: 'gauge', help: 'Events that wait to be stored.', samples: [{ value: waiting }] },
  ];
}

function spanFamilies({ sent, dropped }: SpanStatus): readonly Family[] {
  return [
    { name: 'spans_sent_total', type: 'counter', help: 'Spans that the collector took.', samples: [{ value: sent }] },
    { name: 'spans_dropped_total', type: 'counter', help: 'Spans left out, since the collector was away.', samples: [{ value: dropped }] },
  ];
}

function sinkFamilies(sinks: readonly SinkStatus[], nowMs: number): readonly Family[] {
  const each = (value: (sink: SinkStatus) => number) => sinks.map((sink) => ({ labels: { sink: sink.name }, value: value(sink) }));
  return [
    { name: 'sink_lag_records', type: 'gauge', help: 'Records that wait for a sink.', samples: each(({ lag }) => lag) },
    {
      name: 'sink_lag_seconds',
      type: 'gauge',
      help: 'Age of the oldest of them.',
      samples: each(({ oldest }) => (oldest === null ? 0 : Math.max(0, (nowMs - Date.parse(oldest)) / 1000))),
    },
    {
      name: 'sink_failing',
      type: 'gauge',
      help: '1 while nothing gets through to a sink.',
      samples: each(({ state, stopped }) => Number(stopped !== null || (state?.problem ?? null) !== null)),
    },
    { name: 'sink_delivered_total', type: 'counter', help: 'Records that a sink took, ever.', samples: each(({ state }) => state?.delivered ?? 0) },
    { name: 'sink_rejected_total', type: 'counter', help: 'Records that a sink did not want, ever.', samples: each(({ state }) => state?.rejected ?? 0) },
    {
      name: 'sink_missed_total',
      type: 'counter',
      help: 'Records that retention let go of before a sink got them, ever.',
      samples: each(({ state }) => state?.missed ?? 0),
    },
  ];
}
