// A draft of own policies: the revision that it was made from, and the files that it changes. Pure functions.

export type Files = Readonly<Record<string, string>>;

export interface Draft {
  /** `revision` of the set in force when the person began; 0: there was none. */
  readonly base: number;
  /** By file name. Null: the draft removes the file. */
  readonly changes: Readonly<Record<string, string | null>>;
}

export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*\.(?:cedar|vectors\.yaml)$/;

/** Undefined: the text is no draft, so there is none. */
export function parseDraft(text: string): Draft | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('base' in value) || !('changes' in value)) return undefined;
    const { base, changes } = value;
    if (typeof base !== 'number' || typeof changes !== 'object' || changes === null) return undefined;
    const entries = Object.entries(changes).filter((entry): entry is [string, string | null] => entry[1] === null || typeof entry[1] === 'string');
    return entries.length === 0 ? undefined : { base, changes: Object.fromEntries(entries) };
  } catch {
    return undefined;
  }
}

/** Empty: nothing is changed, so there is no draft. */
export function renderDraft({ base, changes }: Draft): string {
  return Object.keys(changes).length === 0 ? '' : JSON.stringify({ base, changes });
}

/** The whole set that the draft would bring into force, by name. */
export function filesOf(base: Files, draft: Draft | undefined): Files {
  const all = { ...base, ...draft?.changes };
  const present = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null);
  return Object.fromEntries(present.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `text` null removes the file. A change back to the text of the base is no change. */
export function withFile(draft: Draft, base: Files, { name, text }: { readonly name: string; readonly text: string | null }): Draft {
  const { [name]: _, ...others } = draft.changes;
  return { ...draft, changes: text === (base[name] ?? null) ? others : { ...others, [name]: text } };
}

export type FileState = 'same' | 'added' | 'changed' | 'removed';

export interface ListedFile {
  readonly name: string;
  readonly state: FileState;
}

/** Every file of the base and of the draft, by name. */
export function listFiles(base: Files, draft: Draft | undefined): readonly ListedFile[] {
  const changes = draft?.changes ?? {};
  const names = [...new Set([...Object.keys(base), ...Object.keys(changes)])].sort();
  return names.map((name) => ({ name, state: stateOf(base[name], changes[name]) }));
}

function stateOf(before: string | undefined, change: string | null | undefined): FileState {
  if (change === undefined) return 'same';
  if (change === null) return 'removed';
  return before === undefined ? 'added' : 'changed';
}

/** The same draft on the set that has come into force since. Files that it does not change are those of the new set. */
export function onto(draft: Draft, next: { readonly revision: number; readonly files: Files }): Draft {
  const start: Draft = { base: next.revision, changes: {} };
  return Object.entries(draft.changes).reduce((done, [name, text]) => withFile(done, next.files, { name, text }), start);
}

/** The files that the draft and the other person have both changed: the draft replaces the text of the other person. */
export function bothChanged(draft: Draft, base: Files, next: Files): readonly string[] {
  return Object.keys(draft.changes).filter((name) => base[name] !== next[name] && draft.changes[name] !== (next[name] ?? null));
}

/** `policy.cedar`, or the next name like it that no file has. */
export function freeName(files: Files): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? 'policy.cedar' : `policy-${n}.cedar`;
    if (files[name] === undefined) return name;
  }
}

/** A policy needs an id: a pasted one without any gets that of its file. */
export function withId(text: string, name: string): string {
  return /@id\s*\(/.test(text) ? text : `@id("${name.replace(/\.cedar$/, '')}")\n${text}`;
}

/** Undefined: the name can be that of a new file. */
export function nameProblem(name: string, files: Files): string | undefined {
  if (!NAME.test(name)) return 'Write a name with letters, digits, dots, hyphens or underscores that ends in .cedar or .vectors.yaml.';
  return files[name] === undefined ? undefined : 'There is a file with this name.';
}
