// A worker's open channel: what the control plane answers the command line that asks for the workers that are connected now.

export interface WorkerChannel {
  readonly pool: string;
  /** As the worker announced it. */
  readonly name: string;
  readonly principal: string;
  /** When its first frame came, in milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When its latest frame came: a heartbeat is a frame. */
  readonly heardMs: number;
}

/** The pool in the path of a request. Undefined: none. */
export function poolOf({ path }: { readonly path: string | null }): string | undefined {
  const raw = /\/api\/work_pools\/([^/?]+)\//.exec(path ?? '')?.[1];
  try {
    return raw === undefined ? undefined : decodeURIComponent(raw);
  } catch {
    return undefined; // The edge rejects such a path; there is no such pool.
  }
}

/** Undefined: no such answer. */
export function parseWorkerChannels(text: string): readonly WorkerChannel[] | undefined {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('workers' in value) || !Array.isArray(value.workers)) return undefined;
  const channels = value.workers.flatMap(channelOf);
  return channels.length === value.workers.length ? channels : undefined;
}

function channelOf(value: unknown): readonly WorkerChannel[] {
  if (typeof value !== 'object' || value === null) return [];
  const { pool, name, principal, sinceMs, heardMs }: Readonly<Record<string, unknown>> = { ...value };
  if (typeof pool !== 'string' || typeof name !== 'string' || typeof principal !== 'string') return [];
  return typeof sinceMs === 'number' && typeof heardMs === 'number' ? [{ pool, name, principal, sinceMs, heardMs }] : [];
}
