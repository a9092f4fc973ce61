// Prefect gave no whole answer: which way, and whether it may have acted all the same.
import { LictorError } from '../../contract/error.ts';
import { REASONS } from '../../contract/reasons.ts';

export type UpstreamReason = 'upstream-unavailable' | 'upstream-timeout';

export interface UpstreamErrorOptions {
  /** False only when it is certain that no byte of the request left: then a client may repeat it without end. */
  readonly forwarded: boolean;
  /** True: Prefect answered, and did not take our credential. */
  readonly refused?: boolean;
  /** True: the connection ended before the whole answer, and nobody has said why. */
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
