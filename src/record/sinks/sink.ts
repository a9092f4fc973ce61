// Delivery of records to one receiver, for any protocol.
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../contract/record.ts';

/** A record, or an event of Prefect that the record covers, as one line of JSON. */
export interface Item {
  readonly record: LedgerRecord;
  readonly event?: PrefectEvent;
  readonly json: string;
}

export interface Delivered {
  /** Records that the receiver took and rejected. A retry would not help. */
  readonly rejected: number;
}

export interface Sink {
  /** Resolves when the receiver has the batch. Rejects with DeliveryError or another error. */
  deliver(batch: readonly Item[], signal: AbortSignal): Promise<Delivered>;
  close(): Promise<void>;
}

/** The message goes to the log, `doctor` and metrics, so it has no secret and no record. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** The wait that the receiver asked for. */
  readonly retryAfterMs: number | null;
  readonly tooLarge: boolean;

  constructor(message: string, { retryAfterMs = null, tooLarge = false }: { retryAfterMs?: number | null; tooLarge?: boolean } = {}) {
    super(message);
    this.retryAfterMs = retryAfterMs;
    this.tooLarge = tooLarge;
  }
}

/** The short form of a failure: `ECONNREFUSED`, `TimeoutError`. A library's message may quote the body, so it is never used. */
export function failureWords(error: unknown): string {
  if (error instanceof DeliveryError) return error.message;
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause instanceof Error ? failureWords(error.cause) : error.name;
}
