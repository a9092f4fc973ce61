// Text from Prefect and from clients is hostile: it may hide or reorder what a person reads.

export interface TextPart {
  readonly text: string;
  /** Not shown by itself, or changes how the rest is shown. */
  readonly isHidden: boolean;
}

/** Control and format characters (bidi controls, joiners, NUL), separators of lines, lone surrogates, and characters of no use. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/** Hidden characters become their names: `U+202E`. */
export function visibleParts(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') parts.push({ text: plain, isHidden: false });
    plain = '';
  };
  for (const each of text) {
    if (!HIDDEN.test(each)) plain += each;
    else {
      flush();
      parts.push({ text: `U+${(each.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`, isHidden: true });
    }
  }
  flush();
  return parts;
}

/** The first `longest` characters, and how many are left out. Never half of a character. */
export function shorten(text: string, longest: number): { readonly text: string; readonly left: number } {
  if (text.length <= longest) return { text, left: 0 };
  const end = /[\uD800-\uDBFF]/.test(text.charAt(longest - 1)) ? longest - 1 : longest;
  return { text: text.slice(0, end), left: text.length - end };
}
