// A simulation over the API: its lines as they come, and what is shown of it.
import type { Simulation } from './shapes.ts';

export interface Progress {
  readonly records: number;
  /** 0 to 1. */
  readonly fraction: number;
}

export type SimulationLine =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly simulation: Simulation }
  | { readonly kind: 'refused'; readonly refusal: unknown };

/** Undefined: a line that this console does not know. */
export function parseLine(line: unknown): SimulationLine | undefined {
  if (typeof line !== 'object' || line === null) return undefined;
  // The OpenAPI document of the gateway has these shapes.
  const known = line as { progress?: WireProgress; simulation?: Simulation; refusal?: unknown };
  if (known.progress !== undefined) return { kind: 'progress', progress: { records: known.progress.records, fraction: fractionOf(known.progress) } };
  if (known.simulation !== undefined) return { kind: 'done', simulation: known.simulation };
  return known.refusal === undefined ? undefined : { kind: 'refused', refusal: known.refusal };
}

interface WireProgress {
  readonly records: number;
  readonly since: string;
  readonly through: string;
  readonly until: string;
}

function fractionOf({ since, through, until }: WireProgress): number {
  const [from, at, to] = [since, through, until].map((time) => Date.parse(time));
  const fraction = ((at ?? 0) - (from ?? 0)) / ((to ?? 0) - (from ?? 0));
  return Number.isFinite(fraction) ? Math.min(Math.max(fraction, 0), 1) : 0;
}

export const CHANGES = [
  { change: 'now-denied', title: 'Would be denied', tone: 'deny' },
  { change: 'now-allowed', title: 'Would be allowed', tone: 'allow' },
  { change: 'may-change', title: 'May change', tone: 'unsure' },
] as const;

export type Change = (typeof CHANGES)[number]['change'];

export function countOf({ counts }: Pick<Simulation, 'counts'>, change: string): number {
  return counts[change as Change] ?? 0;
}

/** What the result does not cover, as sentences. */
export function limitsOf({ counts, unknown_principals }: Simulation): readonly string[] {
  const sentences: string[] = [];
  const unlike = counts['unlike-then'] ?? 0;
  const unknown = counts['principal-unknown'] ?? 0;
  if (unlike > 0) sentences.push(`${number(unlike)} decisions cannot be replayed: roles or built-in policies have changed since.`);
  if (unknown > 0) sentences.push(`${number(unknown)} decisions are of principals that are unknown now: ${unknown_principals.slice(0, 5).join(', ')}.`);
  return sentences;
}

export function number(value: number): string {
  return value.toLocaleString('en');
}
