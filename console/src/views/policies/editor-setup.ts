// What the editor is made of: few parts of CodeMirror 6, its colours, and its marks for problems.
import { autocompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, toggleComment } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { lintGutter, lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { CEDAR, VECTORS } from './cedar.ts';
import { completionSource } from './completion.ts';
import { knownNames } from './known-names.ts';

const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--code-effect)', fontWeight: '600' },
  { tag: tags.controlKeyword, color: 'var(--code-keyword)' },
  { tag: tags.special(tags.variableName), color: 'var(--code-variable)' },
  { tag: tags.typeName, color: 'var(--code-type)' },
  { tag: tags.string, color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool], color: 'var(--code-value)' },
  { tag: tags.annotation, color: 'var(--code-annotation)' },
  { tag: tags.propertyName, color: 'var(--code-property)' },
  { tag: tags.lineComment, color: 'var(--code-comment)', fontStyle: 'italic' },
]);

/** The page allows style elements with its nonce only. Vite writes it into the page. */
function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
}

/** Chromium itself would give the new text the style of the old one, inline, which the policy of the page forbids and reports. */
const REPLACE_SELECTION = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== 'insertText' || event.data === null || view.composing || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

/** Tab leaves the editor, as it leaves every other field. */
export function editorSetup(name: string, { onChange, readOnly }: { readonly onChange: (text: string) => void; readonly readOnly: boolean }): Extension {
  return [
    EditorView.cspNonce.of(nonce()),
    EditorState.readOnly.of(readOnly),
    EditorState.tabSize.of(2),
    EditorView.contentAttributes.of({ 'aria-label': `Text of ${name}`, spellcheck: 'false', autocapitalize: 'off' }),
    name.endsWith('.cedar') ? CEDAR : VECTORS,
    syntaxHighlighting(COLOURS),
    EditorView.lineWrapping,
    lineNumbers(),
    lintGutter(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    highlightSelectionMatches(),
    bracketMatching(),
    search({ top: true }),
    REPLACE_SELECTION,
    name.endsWith('.cedar') ? autocompletion({ override: [completionSource(knownNames)], icons: false }) : [],
    keymap.of([...completionKeymap, { key: 'Mod-/', run: toggleComment }, ...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap]),
    EditorView.updateListener.of(({ docChanged, state }) => docChanged && onChange(state.doc.toString())),
  ];
}
