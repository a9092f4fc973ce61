// Unsaved text of a person. It survives a login in this tab, and goes with the tab or with the logout. Never for secrets.
import { useState } from 'react';
import { useMe } from './session.ts';

const PREFIX = 'lictor-draft:';

/** Like useState, for text that a person types. `drop` after it was saved: the next value is `saved` again. */
export function useDraft(name: string, saved: string): { readonly text: string; readonly setText: (text: string) => void; readonly drop: () => void } {
  const key = `${PREFIX}${useMe().principal}:${name}`;
  const [state, setState] = useState<{ readonly key: string; readonly text: string | null }>({ key, text: sessionStorage.getItem(key) });
  const draft = state.key === key ? state.text : sessionStorage.getItem(key);
  return {
    text: draft ?? saved,
    setText: (text) => {
      store(key, text === saved ? null : text);
      setState({ key, text: text === saved ? null : text });
    },
    drop: () => {
      store(key, null);
      setState({ key, text: null });
    },
  };
}

function store(key: string, text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, text);
  } catch {
    // The storage is full: the text is still on the page.
  }
}

/** At the logout: the next person at this browser sees no text of this one. */
export function forgetDrafts(): void {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key);
}
