// A runaway agent: it reads and starts runs as fast as it is set to, over MCP and over the API in turn, until it is stopped.
import { callTool, type Outcome, postOnce } from '../../env/mcp-call.ts';

export interface RunawayParts {
  /** `http://localhost:PORT`. */
  readonly url: string;
  readonly token: string;
  readonly deployment: string;
  readonly perSecond: number;
}

export interface Sent extends Outcome {
  readonly starts: boolean;
  readonly atMs: number;
}

export interface Runaway {
  /** Those that are answered, in the order of the answers. */
  readonly answered: readonly Sent[];
  /** Resolves when each call is answered. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
/** A machine that falls behind takes longer, instead of piling calls up. */
const MOST_AT_ONCE = 24;

export function startRunaway(parts: RunawayParts): Runaway {
  const { perSecond } = parts;
  const began = performance.now();
  const answered: Sent[] = [];
  const open = new Set<Promise<void>>();
  let sent = 0;
  let failed: unknown;
  const send = (): void => {
    const atMs = performance.now();
    const [starts, ask] = [sent % 4 >= 2, kinds[sent % 4]];
    sent += 1;
    const call = (ask?.(parts) ?? Promise.reject(new Error('no kind')))
      .then((outcome) => void answered.push({ ...outcome, starts, atMs }))
      .catch((error: unknown) => {
        failed ??= error;
      })
      .finally(() => open.delete(call));
    open.add(call);
  };
  const timer = setInterval(() => {
    const due = Math.ceil(((performance.now() - began) / 1000) * perSecond);
    while (sent < due && open.size < MOST_AT_ONCE) send();
  }, TICK_MS);
  return {
    answered,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      if (failed !== undefined) throw failed;
    },
  };
}

const kinds: readonly ((parts: RunawayParts) => Promise<Outcome>)[] = [
  (parts) => callTool(parts, { token: parts.token, tool: 'get_flow_runs' }),
  (parts) => postOnce(parts, { token: parts.token, path: '/api/flow_runs/filter', body: {} }),
  (parts) => callTool(parts, { token: parts.token, tool: 'run_deployment', args: { deployment: parts.deployment } }),
  (parts) => postOnce(parts, { token: parts.token, path: `/api/deployments/${parts.deployment}/create_flow_run`, body: {} }),
];
