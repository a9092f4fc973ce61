// Text of anybody's making, shown to people.

/** Paths, names and messages come from anybody: control and direction characters would write to the reader's terminal, or turn a line around. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd');
}
