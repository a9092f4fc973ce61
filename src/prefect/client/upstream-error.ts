// Prefect gave no whole answer. The error says why, and whether Prefect may have acted.
import { LictorError } from '../../contract/error.ts';
import { REASONS } from '../../contract/reasons.ts';

export type UpstreamReason = 'upstream-unavailable' | 'upstream-timeout';

export interface UpstreamErrorOptions {
  /** False only when certainly no byte of the request left: then a client may repeat the request without a limit. */
  readonly forwarded: boolean;
  /** True: Prefect answered, and rejected our credential. */
  readonly refused?: boolean;
  /** True: the connection ended before the whole answer, for an unknown reason. */
  readonly broken?: boolean;
  /** For the log; never a header or a body. */
  readonly detail?: string;
  readonly cause?: unknown;
}

export class UpstreamError extends LictorError {
  readonly reason: UpstreamReason;
  readonly forwarded: boolean;
  readonly refused: boolean;
  readonly broken: boolean;

  constructor(reason: UpstreamReason, options: UpstreamErrorOptions) {
    super(reason, REASONS[reason].detail, options);
    this.name = 'UpstreamError';
    this.reason = reason;
    this.forwarded = options.forwarded;
    this.refused = options.refused ?? false;
    this.broken = options.broken ?? false;
  }
}
