// What more workers need, from what some needed: each cost is a base for each node, and a part for each worker.
import { PARTS, type Part } from './usage.ts';

/** Of one node, or of all of them together. */
export interface Load {
  /** Milliseconds of CPU in a second. */
  readonly cpu: number;
  readonly mebibytes: number;
  readonly descriptors: number;
}

export interface Measured {
  readonly workers: number;
  readonly nodes: number;
  /** Of all nodes together, without workers and with them. */
  readonly idle: Readonly<Record<Part, Load>>;
  readonly busy: Readonly<Record<Part, Load>>;
  readonly postgres: { readonly cpu: number; readonly connections: number };
  /** Of all nodes, in a second. */
  readonly records: number;
  /** Of one record in the ledger of one node. */
  readonly recordBytes: number;
}

export interface Paper {
  readonly workers: number;
  /** Those that are left when one is lost, and the lost one. */
  readonly nodes: number;
  /** Of one node when another one is lost. */
  readonly perNode: Load & { readonly relayDescriptors: number; readonly sockets: number };
  readonly postgres: { readonly cpu: number; readonly connections: number };
  readonly records: number;
  /** Of all records, in each ledger. */
  readonly gigabytesADay: number;
}

/** A control plane uses one thread for requests: half of a core is the most that leaves room for the rest. */
const CPU_OF_CONTROL = 500;

/** `nodes`: how many are left when one is lost; undefined: as many as the control planes need. */
export function onPaper(measured: Measured, workers: number, nodes?: number): Paper {
  const each = (what: keyof Load, parts: readonly Part[]): { readonly base: number; readonly worker: number } => {
    const of = (use: Measured['idle']): number => parts.reduce((sum, part) => sum + use[part][what], 0);
    return { base: of(measured.idle) / measured.nodes, worker: Math.max(0, of(measured.busy) - of(measured.idle)) / measured.workers };
  };
  const control = each('cpu', ['control plane']);
  const left = nodes ?? Math.max(1, Math.ceil((control.worker * workers) / (CPU_OF_CONTROL - control.base)));
  const perNode = (what: keyof Load, parts: readonly Part[] = PARTS): number => {
    const { base, worker } = each(what, parts);
    return base + (worker * workers) / left;
  };
  const records = (measured.records / measured.workers) * workers;
  return {
    workers,
    nodes: left + 1,
    perNode: {
      ...{ cpu: perNode('cpu'), mebibytes: perNode('mebibytes'), descriptors: perNode('descriptors') },
      ...{ relayDescriptors: perNode('descriptors', ['control plane']), sockets: workers / left },
    },
    postgres: {
      cpu: (measured.postgres.cpu / measured.workers) * workers,
      connections: (measured.postgres.connections / measured.nodes) * (left + 1),
    },
    records,
    gigabytesADay: (records * measured.recordBytes * 86_400) / 1e9,
  };
}

/** The cost of one worker, as docs/explanation/scale.md has it. */
export function describeWorker(measured: Measured): string {
  const rows = PARTS.map((part) => {
    const [idle, busy] = [measured.idle[part], measured.busy[part]];
    const each = (what: keyof Load): number => (busy[what] - idle[what]) / measured.workers;
    const cells = [each('cpu') * 60, each('mebibytes') * 1024, each('descriptors')];
    return `| ${part} | ${cells.map((cell) => cell.toFixed(1)).join(' | ')} | ${(idle.mebibytes / measured.nodes).toFixed(0)} |`;
  });
  return ['| part | CPU, ms a minute | memory, KiB | descriptors | memory of a node without workers, MiB |', '| --- | --: | --: | --: | --: |', ...rows].join(
    '\n',
  );
}

export function describePaper({ workers, nodes, perNode, postgres, records, gigabytesADay }: Paper): string {
  const rows: readonly (readonly [string, string])[] = [
    ['nodes, one of which may be lost', String(nodes)],
    ['of each node left: sockets of workers', perNode.sockets.toFixed(0)],
    ['CPU, cores', (perNode.cpu / 1000).toFixed(2)],
    ['memory, MiB', perNode.mebibytes.toFixed(0)],
    ['descriptors of all processes; of the control plane', `${perNode.descriptors.toFixed(0)}; ${perNode.relayDescriptors.toFixed(0)}`],
    ['Postgres: CPU, cores; connections', `${(postgres.cpu / 1000).toFixed(2)}; ${postgres.connections.toFixed(0)}`],
    ['records a second; GB a day in each ledger', `${records.toFixed(0)}; ${gigabytesADay.toFixed(1)}`],
  ];
  return [`| ${workers.toLocaleString('en')} workers | |`, '| --- | --: |', ...rows.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}
