// The answer to a rejected request for one reason: status and texts.

export interface ReasonText {
  readonly status: number;
  /** One sentence about the rejection, for the client. ASCII only, because a header carries it. */
  readonly detail: string;
  /** The remedy for the client. ASCII only. */
  readonly hint: string;
}
