// The form of a run token: code that only passes it on recognises it by this.

/** The whole text of one, and nothing around it. That it is well-formed says nothing about validity. */
export const RUN_TOKEN_SHAPE = /^lcf_[0-9a-hjkmnp-tv-z]{68}$/;

export function looksLikeRunToken(text: string): boolean {
  return RUN_TOKEN_SHAPE.test(text);
}

const RUN_PRINCIPAL = /^run:([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/;

export function runPrincipalId(flowRunId: string): string {
  return `run:${flowRunId}`;
}

/** The flow run that a principal is; null: it is none. */
export function runOfPrincipal(principalId: string | null | undefined): string | null {
  return RUN_PRINCIPAL.exec(principalId ?? '')?.[1] ?? null;
}
