// What delivers records to one place, whatever its protocol.
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../contract/record.ts';

/** A record, or an event of Prefect of which it speaks, and what is sent of it: one line of JSON. */
export interface Item {
  readonly record: LedgerRecord;
  readonly event?: PrefectEvent;
  readonly json: string;
}

export interface Delivered {
  /** What the receiver took and did not want: sending it again would not help. */
  readonly rejected: number;
}

export interface Sink {
  /** Resolves when the receiver has them; rejects with DeliveryError, or with anything else that went wrong. */
  deliver(batch: readonly Item[], signal: AbortSignal): Promise<Delivered>;
  close(): Promise<void>;
}

/** Not delivered. The message names no secret and no record: it is for the log, `doctor` and metrics. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** The receiver says when it wants to hear again. */
  readonly retryAfterMs: number | null;
  /** The batch is too large for it. */
  readonly tooLarge: boolean;

  constructor(message: string, { retryAfterMs = null, tooLarge = false }: { retryAfterMs?: number | null; tooLarge?: boolean } = {}) {
    super(message);
    this.retryAfterMs = retryAfterMs;
    this.tooLarge = tooLarge;
  }
}

/** The short form of a failure: `ECONNREFUSED`, `TimeoutError`. Never the message of a library, which may quote what was sent. */
export function failureWords(error: unknown): string {
  if (error instanceof DeliveryError) return error.message;
  if (!(error instanceof Error)) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause instanceof Error ? failureWords(error.cause) : error.name;
}
