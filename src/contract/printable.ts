// Untrusted text in terminals and pages.

/** Paths, names and messages are untrusted: control characters could write to the reader's terminal, and direction characters could reverse a line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\ufffd');
}
