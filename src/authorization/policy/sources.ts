// The file, line and description of each built-in policy, for explanations.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PolicySource {
  /** From the root of the installation. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The comment above the policy, in one line; empty when there is none. */
  readonly description: string;
}

/** By the policy's @id, for the built-in policies. Reads files. */
export function loadPolicySources(): ReadonlyMap<string, PolicySource> {
  const directory = fileURLToPath(new URL('./roles/', import.meta.url));
  const files = readdirSync(directory)
    .filter((name) => name.endsWith('.cedar'))
    .sort();
  return new Map(files.flatMap((name) => sourcesOf(readFileSync(`${directory}${name}`, 'utf8'), `src/authorization/policy/roles/${name}`)));
}

/** One entry for each `@id("...")` that starts a line. */
export function sourcesOf(text: string, file: string): readonly (readonly [string, PolicySource])[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const id = /^@id\("([^"]+)"\)/.exec(line)?.[1];
    return id === undefined ? [] : [[id, { file, line: index + 1, description: commentAbove(lines, index) }] as const];
  });
}

function commentAbove(lines: readonly string[], index: number): string {
  const comment: string[] = [];
  for (let at = index - 1; at >= 0 && (lines[at] ?? '').startsWith('//'); at -= 1) comment.unshift((lines[at] ?? '').replace(/^\/\/ ?/, ''));
  return comment.join(' ').replaceAll(/\s+/g, ' ').trim();
}
