// Untrusted text in terminals and pages.

/** Paths, names and messages are untrusted: control characters could write to the reader's terminal, and direction characters could reverse a line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd');
}

/** For people who must notice such letters: each stands as its code, as do spaces that are no plain space. Lines stay. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\p{Zs}\p{Default_Ignorable_Code_Point}]/gu, (letter) =>
    letter === ' ' || letter === '\n' ? letter : `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/** JSON on one line, safe for a terminal: it escapes the characters that `printable` replaces, so programs lose nothing. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_none, index) => character.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}
