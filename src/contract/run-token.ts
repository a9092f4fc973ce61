// The form of a run token, by which code recognises it.

/** Matches the complete text of a run token. Not checked: that it is valid. */
export const RUN_TOKEN_SHAPE = /^lcf_[0-9a-hjkmnp-tv-z]{68}$/;

export function looksLikeRunToken(text: string): boolean {
  return RUN_TOKEN_SHAPE.test(text);
}

const RUN_PRINCIPAL = /^run:([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})$/;

export function runPrincipalId(flowRunId: string): string {
  return `run:${flowRunId}`;
}

/** The flow run of a principal of kind `run`; null: another kind. */
export function runOfPrincipal(principalId: string | null | undefined): string | null {
  return RUN_PRINCIPAL.exec(principalId ?? '')?.[1] ?? null;
}
