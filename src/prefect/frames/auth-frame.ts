// Prefect's in-band authentication: the first frame of a client and the answer to it.
import type { Frame } from './inbox.ts';

/** `token` is null when the client has none to send. */
export type AuthFrame = { readonly ok: true; readonly token: string | null } | { readonly ok: false };

/** Exactly as Prefect's server writes it (starlette's send_json). */
export const AUTH_SUCCESS = '{"type":"auth_success"}';

/** Not an auth frame, or none at all: `{ ok: false }`. The token itself is not checked here. */
export function parseAuthFrame(frame: Frame | undefined, maxBytes: number): AuthFrame {
  if (frame === undefined || frame.kind !== 'text' || frame.data.length > maxBytes) return { ok: false };
  const message = parseObject(frame.data);
  if (message?.['type'] !== 'auth') return { ok: false };
  const token = message['token'] ?? null;
  if (token === null || token === '') return { ok: true, token: null };
  return typeof token === 'string' ? { ok: true, token } : { ok: false };
}

export function renderAuthFrame(token: string | null): string {
  return JSON.stringify({ type: 'auth', token });
}

/** True when Prefect accepted the relay's own frame. */
export function isAuthSuccess(frame: Frame | undefined): boolean {
  return frame?.kind === 'text' && parseObject(frame.data)?.['type'] === 'auth_success';
}

function parseObject(data: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined; // not JSON, so no auth frame
  }
}
