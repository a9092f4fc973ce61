// The texts of a reason for the rejected client.

export interface ReasonText {
  readonly status: number;
  /** One sentence for the person or program that was refused. ASCII: it travels in a header. */
  readonly detail: string;
  /** What to do about it. ASCII. */
  readonly hint: string;
}
