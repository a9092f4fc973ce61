// What a bench found, as the JSON file has it. Ratios and differences are taken within each round.
import type { Spread } from './numbers.ts';

export interface DirectRow {
  readonly name: string;
  /** Null: not here. */
  readonly measured: {
    readonly perSecond: Spread;
    readonly p50Ms: Spread;
    readonly p99Ms: Spread;
    /** Requests per second, of bare nginx's on the same objects. */
    readonly ofBare: Spread;
    /** 99th percentile, of bare nginx's. */
    readonly p99OfBare: Spread;
    /** The same two, of nginx with its stock access log. */
    readonly ofLogging: Spread;
    readonly p99OfLogging: Spread;
    /** Requests per second, of those of nginx with oauth2-proxy; null where that is not here. */
    readonly ofOauth2: Spread | null;
  } | null;
}

export interface Added {
  readonly direct: { readonly p50Ms: Spread; readonly p99Ms: Spread };
  readonly gateway: { readonly p50Ms: Spread; readonly p99Ms: Spread };
  readonly added: { readonly p50Ms: Spread; readonly p99Ms: Spread };
}

interface Rate {
  readonly perSecond: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
}

/** Calls of one read tool by one agent. `bare`: a handler of the same MCP library, with the same result. */
export interface McpCost {
  readonly connections: number;
  readonly bare: Rate;
  readonly gateway: Rate;
  /** Calls per second, of the bare handler's. */
  readonly ofBare: Spread;
  /** 99th percentile, of the bare handler's. */
  readonly p99OfBare: Spread;
  /** Resident memory of the control plane, before and after all rounds. */
  readonly control: { readonly beforeMiB: number; readonly afterMiB: number };
}

export interface FlowTimes {
  readonly tasks: number;
  readonly directSeconds: Spread;
  readonly gatewaySeconds: Spread;
  /** Gateway's time, of the direct one's. */
  readonly ratio: Spread;
}

/** One decision of the policies, in the process, of nothing remembered. */
export interface DecisionCost {
  /** How many own policies, beside the built-in ones. */
  readonly own: number;
  /** How many of them concern the question by their scope. */
  readonly about: 'a fifth' | 'all';
  /** By a role of a scope, whose objects are looked at (in memory): 1,000 deployments inside it. */
  readonly scoped: boolean;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface ProcessMemory {
  readonly name: string;
  readonly processes: number;
  /** Resident, shared pages counted in each process. */
  readonly residentMiB: number;
  /** Shared pages divided among those that share them. */
  readonly proportionalMiB: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly nginx: string;
  readonly loadBefore: number;
}

/** One load on one of the compared, behind the balancer. */
export interface NodesRow {
  readonly name: string;
  readonly load: string;
  /** Null: not here. */
  readonly measured: {
    readonly perSecond: Spread;
    readonly p50Ms: Spread;
    readonly p99Ms: Spread;
    /** Requests per second, of those of bare nginx, of nginx with oauth2-proxy, of one node. Null: that is not here. */
    readonly ofBare: Spread | null;
    readonly ofOauth2: Spread | null;
    readonly ofOne: Spread | null;
  } | null;
}

/** Of `--nodes`. */
export interface NodesResult {
  readonly at: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly rows: readonly NodesRow[];
}

export interface BenchResult {
  readonly at: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
  readonly direct: readonly DirectRow[];
  /** From the end of a row of the gateway until the ledger had read its access lines. */
  readonly ledgerSeconds: Spread;
  readonly decisions: readonly DecisionCost[];
  readonly mediated: Added;
  readonly socket: Added;
  readonly mcp: McpCost;
  readonly memory: readonly ProcessMemory[];
  readonly startSeconds: Spread;
  /** Null with --no-flow. */
  readonly flow: FlowTimes | null;
}
