// What Prefect's states mean, by their type.
import type { JsonValue } from '../json/tree.ts';

const TERMINAL: readonly string[] = ['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED'];

export function isTerminal(type: JsonValue | undefined): boolean {
  return typeof type === 'string' && TERMINAL.includes(type);
}
