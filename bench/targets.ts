// The promised targets, and whether this run meets them.
import { LICTOR, SERVICE } from './direct.ts';
import type { BenchResult } from './result.ts';

export interface Target {
  readonly what: string;
  /** `>= 0.70` or `<= 1.5`. */
  readonly wanted: string;
  /** Null: not measured here. */
  readonly median: number | null;
  /** Null: not measured here. */
  readonly met: boolean | null;
}

export function judge(result: BenchResult): readonly Target[] {
  const measured = (row: string) => result.direct.find(({ name }) => name === row)?.measured;
  const row = measured(LICTOR);
  return [
    atLeast('direct path, everything on, of nginx with its stock access log', 0.7, row?.ofLogging.median),
    atLeast('direct path, of nginx with oauth2-proxy', 1.8, row?.ofOauth2?.median),
    atLeast('a call of a service, of bare nginx to the same upstream', 0.6, measured(SERVICE)?.ofBare.median),
    atMost('direct path, 99th percentile, of nginx with its stock access log', 2, row?.p99OfLogging.median),
    atMost(
      'a decision with 200 own policies, at the median, ms',
      0.3,
      result.decisions.find(({ own, about, scoped }) => own === 200 && about === 'a fifth' && !scoped)?.p50Ms,
    ),
    atMost('the same by a role of a scope, 1,000 deployments in it, ms', 0.3, result.decisions.find(({ own, scoped }) => own === 200 && scoped)?.p50Ms),
    atMost('mediated path, added at the median, ms', 1.5, result.mediated.added.p50Ms.median),
    atLeast('read calls of an agent over MCP, of a bare handler of the same library', 0.4, result.mcp.ofBare.median),
    atMost('flow of 100 mapped tasks, of the time without the gateway', 1.05, result.flow?.ratio.median),
  ];
}

function atLeast(what: string, bound: number, value: number | undefined): Target {
  return target(what, `>= ${bound.toFixed(2)}`, value, (median) => median >= bound);
}

function atMost(what: string, bound: number, value: number | undefined): Target {
  return target(what, `<= ${bound.toFixed(2)}`, value, (median) => median <= bound);
}

function target(what: string, wanted: string, value: number | undefined, isMet: (median: number) => boolean): Target {
  return value === undefined ? { what, wanted, median: null, met: null } : { what, wanted, median: value, met: isMet(value) };
}
