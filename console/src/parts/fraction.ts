// How far work through a time has come.

export interface Span {
  readonly since: string;
  readonly through: string;
  readonly until: string;
}

/** 0 to 1. */
export function fractionOf({ since, through, until }: Span): number {
  const [from, at, to] = [since, through, until].map((time) => Date.parse(time));
  const fraction = ((at ?? 0) - (from ?? 0)) / ((to ?? 0) - (from ?? 0));
  return Number.isFinite(fraction) ? Math.min(Math.max(fraction, 0), 1) : 0;
}
