// The purpose for which a provider's tokens are sealed: they cannot be moved to another session.

export function aboutTokens(sessionId: string): string {
  return `tokens of session ${sessionId}`;
}
