// How far the announcements have got: one small file, written before anything is sent, so that what comes after a kill is the same again.
import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { z } from 'zod';
import { CONNECT_ACTION } from '../../../contract/destination.ts';
import type { NewRecord } from '../../../contract/record.ts';

const words = z.string().nullable();

/** What an announcement says of a refusal. */
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

/** `mixed`: many kinds together. What an earlier version has kept does not say it. */
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
/** An event, in Prefect's words (prefect/server/events/schemas/events.py). */
export type Announcement = Readonly<z.output<typeof announcement>>;

const memory = z.strictObject({
  /** The last place of the outbox that was read, and the record there: another one means another ledger. */
  k: z.int().min(0),
  id: z.string(),
  /** Refusals that are being counted. */
  repeated: z.array(repeated),
  /** Made from what was read, and not yet taken by Prefect. */
  pending: z.array(announcement),
});
export type Memory = z.output<typeof memory>;

export const NOTHING: Memory = { k: 0, id: '', repeated: [], pending: [] };

/** A call of a service names it beside the action, and a connection its host. */
export function refusalOf({ time, request_id, principal, on_behalf_of, action, service, resource_id, reason, flow_run_id }: NewRecord): Refusal {
  const where = action === CONNECT_ACTION ? resource_id : service;
  const what = where == null ? action : `${action} ${where}`;
  return {
    ...{ time, request_id: request_id ?? null, principal: principal ?? null, on_behalf_of: [...(on_behalf_of ?? [])] },
    ...{ action: what ?? null, reason: reason ?? null, flow_run_id: flow_run_id ?? null },
  };
}

/** Undefined: there is none, or none that can be read. What is told again then has the same ids, and Prefect has it once. */
export function readMemory(file: string): Memory | undefined {
  try {
    return memory.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

/** All of it or nothing, also over a power failure. Rejects when the disk is full. */
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
