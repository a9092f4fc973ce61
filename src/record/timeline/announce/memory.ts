// The announcer's position: one small file, written before anything is sent, so that a kill changes no event.
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { z } from 'zod';
import { CONNECT_ACTION } from '../../../contract/destination.ts';
import type { NewRecord } from '../../../contract/record.ts';

const words = z.string().nullable();

/** The fields of a refusal that its event needs. */
const refusal = z.strictObject({
  time: z.string(),
  request_id: words,
  principal: words,
  on_behalf_of: z.array(z.string()),
  action: words,
  reason: words,
  flow_run_id: words,
});
export type Refusal = Readonly<z.output<typeof refusal>>;

/** `mixed`: several kinds together. Files of earlier versions lack it. */
const repeated = z.strictObject({ untilMs: z.number(), windowMs: z.number(), count: z.int(), last: refusal, mixed: z.boolean().default(false) });
export type Repeated = z.output<typeof repeated>;

const announcement = z.strictObject({
  id: z.string(),
  occurred: z.string(),
  event: z.enum(['lictor.run.started-by', 'lictor.run.orphaned', 'lictor.request.refused']),
  resource: z.record(z.string(), z.string()),
  related: z.array(z.record(z.string(), z.string())),
  payload: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
});
/** An event in Prefect's form (prefect/server/events/schemas/events.py). */
export type Announcement = Readonly<z.output<typeof announcement>>;

const memory = z.strictObject({
  /** The last outbox position that was read, and its record. Another record there means another ledger. */
  k: z.int().min(0),
  id: z.string(),
  /** Refusals that are being counted. */
  repeated: z.array(repeated),
  /** Events that Prefect has not accepted yet. */
  pending: z.array(announcement),
});
export type Memory = z.output<typeof memory>;

export const NOTHING: Memory = { k: 0, id: '', repeated: [], pending: [] };

/** The action includes the service of a call, or the host of a connection. */
export function refusalOf({ time, request_id, principal, on_behalf_of, action, service, resource_id, reason, flow_run_id }: NewRecord): Refusal {
  const where = action === CONNECT_ACTION ? resource_id : service;
  const what = where == null ? action : `${action} ${where}`;
  return {
    ...{ time, request_id: request_id ?? null, principal: principal ?? null, on_behalf_of: [...(on_behalf_of ?? [])] },
    ...{ action: what ?? null, reason: reason ?? null, flow_run_id: flow_run_id ?? null },
  };
}

/** Undefined: there is no readable file. Repeated events then have the same ids, and Prefect stores each once. */
export function readMemory(file: string): Memory | undefined {
  try {
    return memory.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** Atomic, also at a power failure. Rejects when the disk is full. */
export async function writeMemory(file: string, next: Memory): Promise<void> {
  const fresh = await open(`${file}.new`, 'w', 0o600);
  try {
    await fresh.writeFile(`${JSON.stringify(next)}\n`);
    await fresh.datasync();
  } finally {
    await fresh.close();
  }
  await rename(`${file}.new`, file);
}
