// What the tokens of a provider are sealed for: they cannot be moved to another session.

export function aboutTokens(sessionId: string): string {
  return `tokens of session ${sessionId}`;
}
