// A result as Markdown: the tables of docs/explanation/costs.md and of `lictor bench`.
import type { Spread } from './numbers.ts';
import type { Added, BenchResult, DirectRow, NodesResult, NodesRow } from './result.ts';
import { judge, type Target } from './targets.ts';

export function renderMarkdown(result: BenchResult): string {
  return [
    ...head(result),
    '## Direct path',
    `1 KB of JSON, ${result.connections} connections.`,
    table(
      ['', 'requests/s', 'of bare nginx', 'of nginx with access log', 'of nginx + oauth2-proxy', 'p50 ms', 'p99 ms', 'p99, of nginx with access log'],
      result.direct.map(directCells),
    ),
    `The ledger had every line of a row ${within(result.ledgerSeconds, 1)} s after its load; nothing else is measured before it has.`,
    '## Decisions',
    '1,000 different questions to the policies, none of them remembered; in the process, without the way there.',
    table(
      ['own policies', 'of them about the question', 'role', 'p50 ms', 'p95 ms'],
      result.decisions.map(({ own, about, scoped, p50Ms, p95Ms }) => [
        String(own),
        about,
        scoped ? 'of a scope' : 'on everything',
        p50Ms.toFixed(3),
        p95Ms.toFixed(3),
      ]),
    ),
    '## Added latency',
    table(
      ['one client at a time', 'direct p50', 'gateway p50', 'added p50, ms', 'direct p99', 'gateway p99', 'added p99, ms'],
      [addedCells('`set_state`, mediated', result.mediated), addedCells('one event through the relay', result.socket)],
    ),
    '## Agents over MCP',
    renderMcp(result),
    '## A stock flow',
    renderFlow(result),
    '## Memory and start',
    table(
      ['after the load', 'processes', 'resident MiB', 'proportional MiB'],
      result.memory.map(({ name, processes, residentMiB, proportionalMiB }) => [name, String(processes), residentMiB.toFixed(0), proportionalMiB.toFixed(0)]),
    ),
    `From \`lictor up\` to ready: ${within(result.startSeconds, 2)} s.`,
    '## Targets',
    table(['', 'wanted', 'measured', ''], judge(result).map(targetCells)),
    '',
  ].join('\n\n');
}

/** One and two nodes. */
export function renderNodes(result: NodesResult): string {
  const cells = ({ name, load, measured }: NodesRow): readonly string[] => {
    if (measured === null) return [load, name, 'not here', '', '', '', ''];
    const { perSecond, p99Ms, ofBare, ofOauth2, ofOne } = measured;
    return [load, name, within(perSecond, 0), ...[ofBare, ofOauth2, ofOne].map((ratio) => (ratio === null ? 'not here' : within(ratio, 2))), within(p99Ms, 1)];
  };
  return [
    ...head(result),
    '## One and two nodes',
    `1 KB of JSON, ${result.connections} connections. Every row is behind the same HAProxy. All nodes, Postgres, HAProxy, the upstream and the load generator share the cores.`,
    table(['load', '', 'requests/s', 'of bare nginx', 'of nginx + oauth2-proxy', 'of one node', 'p99 ms'], result.rows.map(cells)),
    '',
  ].join('\n\n');
}

type Heading = Pick<NodesResult, 'at' | 'machine' | 'seconds' | 'rounds'>;

function head({ at, machine, seconds, rounds }: Heading): readonly string[] {
  return [
    '# lictor bench',
    `${at.slice(0, 10)}. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.system}; nginx ${machine.nginx}, Node ${machine.node}. Load average before: ${machine.loadBefore.toFixed(1)}.`,
    `Median of ${rounds} interleaved rounds of ${seconds} s (smallest to largest); ratios are taken within a round. Everything runs on this one machine, load generator and upstream included.`,
  ];
}

function directCells({ name, measured }: DirectRow): readonly string[] {
  if (measured === null) return [name, 'not here', '', '', '', '', '', ''];
  const { perSecond, ofBare, ofLogging, ofOauth2, p50Ms, p99Ms, p99OfLogging } = measured;
  return [
    name,
    within(perSecond, 0),
    within(ofBare, 2),
    within(ofLogging, 2),
    ofOauth2 === null ? 'not here' : within(ofOauth2, 2),
    within(p50Ms, 2),
    within(p99Ms, 2),
    within(p99OfLogging, 2),
  ];
}

function addedCells(name: string, { direct, gateway, added }: Added): readonly string[] {
  const [p50, p99] = [[direct, gateway, added].map(({ p50Ms }) => within(p50Ms, 2)), [direct, gateway, added].map(({ p99Ms }) => within(p99Ms, 2))];
  return [name, ...p50, ...p99];
}

function renderMcp({ mcp: { connections, bare, gateway, ofBare, p99OfBare, control } }: BenchResult): string {
  return [
    `Calls of \`get_deployments\` by one agent with budgets, 5 deployments, ${connections} connections.`,
    table(
      ['', 'calls/s', 'of the bare handler', 'p50 ms', 'p99 ms', 'p99, of the bare handler'],
      [
        ['a bare handler of the MCP library, with the same result', within(bare.perSecond, 0), '', within(bare.p50Ms, 2), within(bare.p99Ms, 2), ''],
        ['Lictor, everything on', within(gateway.perSecond, 0), within(ofBare, 2), within(gateway.p50Ms, 2), within(gateway.p99Ms, 2), within(p99OfBare, 2)],
      ],
    ),
    `The control plane has ${control.beforeMiB.toFixed(0)} MiB before the rounds, and ${control.afterMiB.toFixed(0)} MiB after them.`,
  ].join('\n\n');
}

function renderFlow({ flow }: BenchResult): string {
  if (flow === null) return 'Left out (`--no-flow`).';
  const { tasks, directSeconds, gatewaySeconds, ratio } = flow;
  return `${tasks} mapped tasks: direct ${within(directSeconds, 2)} s, through the gateway ${within(gatewaySeconds, 2)} s, ratio ${within(ratio, 3)}.`;
}

function targetCells({ what, wanted, median, met }: Target): readonly string[] {
  return [what, wanted, median === null ? 'not here' : median.toFixed(2), met === null ? '' : met ? 'met' : 'MISSED'];
}

/** `0.71 (0.69 to 0.73)`. */
function within({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '--:'))), ...rows.map(line)].join('\n');
}
