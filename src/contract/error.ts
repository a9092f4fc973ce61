// The one error class: a stable code, a message for the client, a detail for the log.

export interface LictorErrorOptions {
  /** For the log only; never a secret. */
  readonly detail?: string;
  readonly cause?: unknown;
}

/**
 * Thrown for defects, outages and bad input at an edge; never for "no" (a denial is a Decision).
 * `code` is stable and documented; `message` may reach the client.
 */
export class LictorError extends Error {
  readonly code: string;
  readonly detail: string | undefined;

  constructor(code: string, message: string, options: LictorErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LictorError';
    this.code = code;
    this.detail = options.detail;
  }
}
