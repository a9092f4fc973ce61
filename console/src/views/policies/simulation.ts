// A simulation over the API: its lines as they come, and what is shown of it.
import { fractionOf, type Span } from '../../parts/fraction.ts';
import type { Files } from './draft.ts';
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

interface WireProgress extends Span {
  readonly records: number;
}

export const CHANGES = [
  { change: 'now-denied', title: 'Would be denied', words: 'would be denied if you apply this', tone: 'deny' },
  { change: 'now-allowed', title: 'Would be allowed', words: 'would be allowed if you apply this', tone: 'allow' },
  { change: 'may-change', title: 'May change', words: 'may get another decision', tone: 'unsure' },
] as const;

export type Change = (typeof CHANGES)[number]['change'];

export function countOf({ counts }: Pick<Simulation, 'counts'>, change: string): number {
  return counts[change as Change] ?? 0;
}

/** Two equal texts are one question with one answer. */
export function questionOf(files: Files, since: string): string {
  return JSON.stringify([since, files]);
}

/** `12 requests of 2 people would be denied if you apply this.` */
export function effectSentence(simulation: Simulation): string {
  const parts = CHANGES.flatMap(({ change, words }) => {
    const count = countOf(simulation, change);
    const principals = simulation.changes.filter((group) => group.change === change).map(({ principal }) => principal);
    return count === 0 ? [] : [`${count === 1 ? '1 request' : `${number(count)} requests`} of ${whose(principals)} ${words}`];
  });
  if (parts.length > 0) return `${parts.join(', ')}.`;
  const replayed = countOf(simulation, 'same');
  if (replayed === 0) return 'No recorded decision of this time can be replayed, so this says nothing about the draft.';
  return `No recorded decision would change: ${replayed === 1 ? '1 decision stays' : `all ${number(replayed)} stay`} the same.`;
}

function whose(principals: readonly string[]): string {
  const [first, ...others] = new Set(principals);
  if (others.length === 0) return first ?? 'unknown principals';
  return `${number(others.length + 1)} ${[first, ...others].every((id) => isPerson(id ?? '')) ? 'people' : 'principals'}`;
}

/** `alice@corp`; those of services, agents and runs begin with their kind. */
function isPerson(id: string): boolean {
  return id.includes('@') && !/^(?:token|agent|run):/.test(id);
}

/** What the result does not cover, as sentences. */
export function limitsOf({ counts, unknown_principals }: Simulation): readonly string[] {
  const sentences: string[] = [];
  const unlike = counts['unlike-then'] ?? 0;
  const unknown = counts['principal-unknown'] ?? 0;
  if (unlike > 0) sentences.push(`${number(unlike)} decisions cannot be replayed: roles, scopes or built-in policies have changed since.`);
  if (unknown > 0) sentences.push(`${number(unknown)} decisions are of principals that are unknown now: ${unknown_principals.slice(0, 5).join(', ')}.`);
  return sentences;
}

export function number(value: number): string {
  return value.toLocaleString('en');
}
