// One file of policies in an editor. The editor owns the text while a person types; another text from outside replaces it.
import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import { editorSetup } from './editor-setup.ts';
import { type Place, rangeOf } from './places.ts';
import type { DraftProblem } from './shapes.ts';

export interface EditorProps {
  readonly name: string;
  readonly text: string;
  readonly readOnly: boolean;
  readonly problems: readonly DraftProblem[];
  readonly warnings: readonly DraftProblem[];
  /** Where the cursor goes. Each new object moves it once. */
  readonly target: Place | undefined;
  readonly onChange: (text: string) => void;
}

/** Give it a `key` for each file. */
export function Editor({ name, text, readOnly, problems, warnings, target, onChange }: EditorProps) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const changed = useRef(onChange);
  changed.current = onChange;
  const first = useRef(text);
  useEffect(() => {
    const setup = editorSetup(name, { readOnly, onChange: (next) => changed.current(next) });
    const created = new EditorView({ state: EditorState.create({ doc: first.current, extensions: setup }), ...(parent.current && { parent: parent.current }) });
    view.current = created;
    return () => {
      first.current = created.state.doc.toString();
      created.destroy();
    };
  }, [name, readOnly]);
  useEffect(() => view.current && showText(view.current, text), [text]);
  useEffect(() => view.current && showProblems(view.current, problems, warnings), [problems, warnings]);
  useEffect(() => {
    if (view.current !== undefined && target !== undefined) moveTo(view.current, target);
  }, [target]);
  return <div className="policy-editor" ref={parent} />;
}

function showText(view: EditorView, text: string): void {
  const now = view.state.doc.toString();
  if (now !== text) view.dispatch({ changes: { from: 0, to: now.length, insert: text } });
}

function showProblems(view: EditorView, problems: readonly DraftProblem[], warnings: readonly DraftProblem[]): void {
  const text = view.state.doc.toString();
  const mark =
    (severity: Diagnostic['severity']) =>
    (problem: DraftProblem): Diagnostic => {
      return { ...rangeOf(text, problem), severity, message: `${problem.message}\n${problem.remedy}` };
    };
  view.dispatch(setDiagnostics(view.state, [...problems.map(mark('error')), ...warnings.map(mark('warning'))]));
}

function moveTo(view: EditorView, place: Place): void {
  const { from } = rangeOf(view.state.doc.toString(), place);
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
  view.focus();
}
