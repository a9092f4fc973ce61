// Login attempts at a provider: one for each tab, bound to the browser that began it, used once.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Sealer } from '../../../config/keys/sealer.ts';
import type { LoginAttempts } from '../../../store/login-attempts.ts';

export interface Attempts {
  /** A name for the attempt and a secret for the browser's cookie. */
  create(): NewAttempt;
  /** Stored before the browser goes to the provider. `secret` is for checking the provider's answer. */
  keep(attempt: NewAttempt, details: NewDetails): Promise<void>;
  /** Consumes it, whatever the result is. */
  take(answer: { readonly idp: string; readonly state: string; readonly browser: string }): Promise<TakenAttempt | 'unknown' | 'other-browser'>;
}

export interface NewAttempt {
  readonly state: string;
  /** Only for the cookie of this attempt. */
  readonly browser: string;
}

interface NewDetails {
  readonly idp: string;
  readonly returnTo: string;
  readonly secret: string;
  /** Of the browser. */
  readonly address: string;
  /** What the answer is for if it is not a login: a text of the caller. */
  readonly purpose?: string;
}

export interface TakenAttempt {
  readonly returnTo: string;
  readonly secret: string;
  /** Empty: a login. */
  readonly purpose: string;
}

export const STATE = /^[A-Za-z0-9_-]{22}$/;

export function createAttempts({ store, sealer }: { readonly store: LoginAttempts; readonly sealer: Sealer }): Attempts {
  return {
    create: () => ({ state: randomBytes(16).toString('base64url'), browser: randomBytes(32).toString('base64url') }),
    keep: ({ state, browser }, { idp, returnTo, secret, address, purpose = '' }) => {
      const sealed = sealer.seal(JSON.stringify({ browser: digest(browser), secret, purpose }), aboutAttempt(idp, state));
      return store.create({ id: state, returnTo, idp, sealed, address });
    },
    async take({ idp, state, browser }) {
      const attempt = STATE.test(state) ? await store.takeAnswered(state, idp) : undefined;
      const opened = attempt === undefined ? undefined : sealer.open(attempt.sealed, aboutAttempt(idp, state));
      if (attempt === undefined || opened === undefined) return 'unknown';
      const stored = sealedAttempt.parse(JSON.parse(opened));
      if (!timingSafeEqual(Buffer.from(stored.browser), Buffer.from(digest(browser)))) return 'other-browser';
      return { returnTo: attempt.returnTo, secret: stored.secret, purpose: stored.purpose };
    },
  };
}

function aboutAttempt(idp: string, state: string): string {
  return `login attempt ${idp} ${state}`;
}

function digest(browser: string): string {
  return createHash('sha256').update(browser).digest('hex');
}

/** Lictor itself sealed the text, so any other form is a defect, and throws. */
const sealedAttempt = z.object({ browser: z.string(), secret: z.string(), purpose: z.string().default('') });
