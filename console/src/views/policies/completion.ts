// Names that the gateway knows, completed inside `Principal::"`, `Action::"` and `Role::"`.
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';

const KINDS = ['Principal', 'Action', 'Role'] as const;
type Kind = (typeof KINDS)[number];

export interface OpenName {
  readonly kind: Kind;
  readonly typed: string;
}

/** The name that is not finished at the end of the text; undefined: there is none. */
export function openName(before: string): OpenName | undefined {
  const [, word, typed] = /\b(Principal|Action|Role)::"([^"\\\n]*)$/.exec(before) ?? [];
  const kind = KINDS.find((each) => each === word);
  return kind === undefined || typed === undefined ? undefined : { kind, typed };
}

export interface Name {
  readonly label: string;
  readonly detail?: string;
}

/** Of a source, the names for what is typed. */
export type Names = (open: OpenName) => Promise<readonly Name[]>;

export function completionSource(names: Names) {
  return async (context: CompletionContext): Promise<CompletionResult | null> => {
    const line = context.state.doc.lineAt(context.pos);
    const open = openName(line.text.slice(0, context.pos - line.from));
    if (open === undefined) return null;
    const options = await names(open).catch(() => []);
    return { from: context.pos - open.typed.length, options: [...options] };
  };
}
