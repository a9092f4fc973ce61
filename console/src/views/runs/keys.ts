// The keys of a timeline.

/** The line to go to. Null: the key moves nowhere. */
export function moveTo(key: string, from: number, { count, page }: { readonly count: number; readonly page: number }): number | null {
  const to = { ArrowDown: from + 1, ArrowUp: from - 1, PageDown: from + page, PageUp: from - page, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}

export type Command = 'in' | 'out' | 'fit' | 'left' | 'right' | 'form' | 'close' | 'find';

/** Keys of single characters count only while the timeline has the focus. */
export function commandOf({
  key,
  shiftKey,
  ctrlKey,
  metaKey,
  altKey,
}: Readonly<Record<'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey', boolean>> & { readonly key: string }): Command | null {
  if (ctrlKey || metaKey || altKey) return null;
  if (shiftKey && key === 'ArrowLeft') return 'left';
  if (shiftKey && key === 'ArrowRight') return 'right';
  return COMMANDS[key] ?? null;
}

const COMMANDS: Readonly<Record<string, Command>> = { '+': 'in', '=': 'in', '-': 'out', '0': 'fit', t: 'form', '/': 'find', Escape: 'close' };
