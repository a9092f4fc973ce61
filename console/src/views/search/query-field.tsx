import { type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import { acceptSuggestion, finished, type Suggestion, suggestionsAt, type Words } from './query-terms.ts';

interface QueryFieldProps {
  /** The query that is shown now. */
  readonly query: string;
  readonly words: Words;
  readonly onSearch: (query: string) => void;
  readonly error?: string | undefined;
}

/** One line of query language. The list below it completes the term at the caret; arrows choose, Enter or Tab takes, Escape closes. */
export function QueryField({ query, words, onSearch, error }: QueryFieldProps) {
  const field = useQueryField(query, words, onSearch);
  const id = useId();
  const isOpen = field.isOpen && field.suggestions.length > 0;
  return (
    <div className="query-field">
      <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M7 3a4 4 0 1 1 0 8a4 4 0 1 1 0-8M10 10l4 4" />
      </svg>
      <input
        ref={field.input}
        className="input"
        type="text"
        role="combobox"
        aria-label="Search the records"
        aria-expanded={isOpen}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && field.active >= 0 ? `${id}-${field.active}` : undefined}
        aria-invalid={error === undefined ? undefined : true}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        placeholder="principal:alice decision:deny"
        autoComplete="off"
        spellCheck={false}
        value={field.text}
        onChange={({ target }) => field.type(target.value, target.selectionStart ?? target.value.length)}
        onSelect={({ currentTarget }) => field.moveTo(currentTarget.selectionStart ?? 0)}
        onFocus={field.open}
        onBlur={field.close}
        onKeyDown={field.onKey}
      />
      <div id={`${id}-list`} role="listbox" aria-label="Suggestions" className="suggestions" hidden={!isOpen}>
        {field.suggestions.map((suggestion, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field, which has the focus
          // biome-ignore lint/a11y/useFocusableInteractive: the field names the active one
          <div
            key={suggestion.text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === field.active}
            className="suggestion"
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => field.take(suggestion)}
          >
            <code>{suggestion.text}</code>
            <span>{suggestion.about}</span>
          </div>
        ))}
      </div>
      {error !== undefined && (
        <p id={`${id}-error`} className="field-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function useQueryField(query: string, words: Words, onSearch: (query: string) => void) {
  const input = useRef<HTMLInputElement>(null);
  /** Where the caret goes after a suggestion was taken. */
  const caret = useRef<number>(undefined);
  const [state, setState] = useState({ of: query, text: query, at: query.length, isOpen: false, active: -1 });
  // Back and forward change the query from outside.
  const shown = state.of === query ? state : { of: query, text: query, at: query.length, isOpen: false, active: -1 };
  const set = (more: Partial<typeof state>) => setState({ ...shown, ...more });
  useLayoutEffect(() => {
    if (caret.current !== undefined) input.current?.setSelectionRange(caret.current, caret.current);
    caret.current = undefined;
  });
  const suggestions = suggestionsAt(shown, words);
  const search = () => {
    const next = finished(shown.text);
    setState({ of: next, text: next, at: next.length, isOpen: false, active: -1 });
    onSearch(next);
  };
  const take = (suggestion: Suggestion) => {
    const next = acceptSuggestion(shown, suggestion);
    set({ ...next, isOpen: true, active: -1 });
    caret.current = next.at;
  };
  const onKey = (event: KeyboardEvent) => {
    const action = keyAction(event, { ...shown, count: suggestions.length });
    if (action === undefined) return;
    event.preventDefault();
    const chosen = suggestions[shown.active];
    if (action === 'take' && chosen !== undefined) take(chosen);
    else if (action === 'search') search();
    else if (action === 'close') set({ isOpen: false, active: -1 });
    else if (typeof action === 'number') set({ isOpen: true, active: action });
  };
  return {
    ...{ input, suggestions, take, onKey, text: shown.text, isOpen: shown.isOpen, active: shown.active },
    type: (text: string, at: number) => set({ text, at, isOpen: true, active: -1 }),
    moveTo: (at: number) => at !== shown.at && set({ at, active: -1 }),
    open: () => set({ isOpen: true }),
    close: () => set({ isOpen: false, active: -1 }),
  };
}

interface Shown {
  readonly isOpen: boolean;
  readonly active: number;
  readonly count: number;
}

/** A number: the suggestion to go to. Undefined: the key is not the list's. */
function keyAction({ key, shiftKey }: KeyboardEvent, { isOpen, active, count }: Shown): 'take' | 'search' | 'close' | number | undefined {
  if (key === 'ArrowDown') return Math.min(active + 1, count - 1);
  if (key === 'ArrowUp' && isOpen) return Math.max(active - 1, -1);
  if (key === 'Escape' && isOpen && count > 0) return 'close';
  if (key === 'Tab' && !shiftKey && isOpen && active >= 0) return 'take';
  if (key === 'Enter') return isOpen && active >= 0 ? 'take' : 'search';
  return undefined;
}
