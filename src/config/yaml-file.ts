// Text -> plain data, with lines. Duplicate keys, several documents, unknown tags and alias bombs are problems.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { Problem } from './problem.ts';
import type { Keys } from './report.ts';

/** Larger than any real configuration, and small enough to parse at once. */
const MAX_BYTES = 1_048_576;
const MAX_ALIASES = 50;

export type YamlFile =
  | { readonly ok: true; readonly data: unknown; readonly lineOf: (keys: Keys) => number | undefined }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function parseYaml(text: string): YamlFile {
  if (Buffer.byteLength(text) > MAX_BYTES) return broken('the file is larger than 1 MiB', 'Give the configuration file itself.');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, strict: true, prettyErrors: false });
  const complaints = [...document.errors, ...document.warnings];
  if (complaints.length > 0) {
    return { ok: false, problems: complaints.map((complaint) => yamlProblem(complaint.message, lines.linePos(complaint.pos[0]).line)) };
  }
  try {
    const data: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { ok: true, data, lineOf: (keys) => lineOf(document.contents, keys, lines) };
  } catch (cause) {
    return broken(
      `the file cannot be read as YAML: ${cause instanceof Error ? cause.message : 'unknown error'}`,
      'Write the values out instead of using aliases.',
    );
  }
}

function yamlProblem(message: string, line: number): Problem {
  const remedy = message.includes('unique') ? 'Merge the two, or remove one.' : 'Correct the YAML; an editor with a YAML mode marks the place.';
  return { path: '', message: `YAML: ${message}`, remedy, line };
}

function broken(message: string, remedy: string): YamlFile {
  return { ok: false, problems: [{ path: '', message, remedy }] };
}

/** Line of the deepest part of the path that is in the file. */
function lineOf(contents: Node | null, keys: Keys, lines: LineCounter): number | undefined {
  let node: unknown = contents;
  let offset: number | undefined;
  for (const key of keys) {
    const found = child(node, key);
    offset = found.offset ?? offset;
    node = found.node;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

/** The value below a key or an index, and the position of its key (or of the item). */
function child(node: unknown, key: PropertyKey): { readonly node: unknown; readonly offset: number | undefined } {
  if (isSeq(node) && typeof key === 'number') return { node: node.items[key], offset: rangeStart(node.items[key]) };
  const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === key) : undefined;
  return { node: pair?.value, offset: rangeStart(pair?.key) };
}

function rangeStart(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
}
