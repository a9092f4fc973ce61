// Text for terminals: safe and aligned, with colours only on a terminal.
import type { Writable } from 'node:stream';
import type { Environment } from '../config/load.ts';
import { jsonText, printable } from '../contract/printable.ts';

export { jsonText, printable };

export type Paint = (style: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string) => string;

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours on a terminal only, and never with NO_COLOR (no-color.org). */
export function painter(out: Writable, env: Environment): Paint {
  const colours = 'isTTY' in out && out.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return (style, text) => (colours && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text);
}

/** Text of exactly `width` characters, padded or cut with an ellipsis. */
export function cell(text: string, width: number): string {
  const safe = printable(text);
  return safe.length > width ? `${safe.slice(0, width - 1)}\u2026` : safe.padEnd(width);
}

/** `1 checkpoint`, `1,200 checkpoints`. */
export function quantity(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

/** A duration for people: `250ms`, `4.2s`, `3m05s`, `2h10m`, `3d04h`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const two = (value: number) => String(value).padStart(2, '0');
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1_440) return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m`;
  return `${Math.floor(minutes / 1_440)}d${two(Math.floor(minutes / 60) % 24)}h`;
}

/** Waits for a slow reader, so that a large ledger does not fill the memory. */
export async function writeLine(out: Writable, line: string): Promise<void> {
  if (!out.write(`${line}\n`)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
}
