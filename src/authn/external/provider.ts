// What OpenID Connect and SAML have in common: people are sent to a provider, and come back with an answer that proves who they are.
import type { Identity } from '../../contract/identity.ts';
import type { ReasonCode } from '../../contract/reasons.ts';

/** One identity provider of lictor.yaml that people log in at. Nothing here throws for a "no": a refusal is a value. */
export interface ExternalProvider {
  readonly idp: string;
  /** Where the browser goes, and what only the answer to this attempt can be checked with (the caller seals it). */
  begin(attempt: BeginRequest): Promise<Begun | NotProven>;
  /** What the browser brought back. The caller has taken the attempt, so that each answer is looked at once. */
  finish(answer: ProviderAnswer): Promise<Proven | NotProven>;
  /** Asks the provider whether the session goes on; only for sessions whose proof had `refreshAfterMs`. */
  confirm(kept: string, identity: Identity): Promise<Confirmed>;
  /** How to end the provider's own session from the browser; undefined: it has no way. */
  leave(kept: string | undefined, returnUrl: string): Promise<LeaveForm | undefined>;
  /** The provider's own message that a session, or a person, has ended there (OIDC: a logout token). Each message counts once. */
  loggedOut(message: string): Promise<EndedAtProvider | NotProven>;
  /** True when its metadata is known: a login can begin. */
  ready(): Promise<boolean>;
}

export interface BeginRequest {
  /** 22 characters of `A-Za-z0-9_-`; comes back with the answer (`state`, RelayState). */
  readonly state: string;
  readonly callbackUrl: string;
  /** The person asked to be somebody else than whom the provider remembers. */
  readonly asSomebodyElse: boolean;
}

export interface Begun {
  readonly ok: true;
  readonly location: string;
  readonly secret: string;
}

export interface ProviderAnswer {
  /** As the browser sent them; doubled ones are still there. */
  readonly params: URLSearchParams;
  readonly state: string;
  readonly callbackUrl: string;
  readonly secret: string;
}

export interface Proven {
  readonly ok: true;
  readonly identity: Identity;
  /** The provider's own name for its session; null: it has none. */
  readonly idpSession: string | null;
  /** What `confirm` and `leave` need later (tokens); the caller seals it. Null: nothing. */
  readonly kept: string | null;
  /** When the provider must be asked again; null: it cannot be. */
  readonly refreshAfterMs: number | null;
}

export interface NotProven {
  readonly ok: false;
  readonly reason: ReasonCode;
  /** For the log: what failed, never a token, a code or a body. */
  readonly detail: string;
}

export type Confirmed =
  | { readonly state: 'live'; readonly proof: Proven }
  | { readonly state: 'ended'; readonly reason: ReasonCode; readonly detail: string }
  /** It gave no usable answer: nobody knows. */
  | { readonly state: 'unknown'; readonly detail: string };

/** A form that the browser posts to the provider: no token ever stands in an address. */
export interface LeaveForm {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** At least one of the two is there; both: this session of this person. */
export interface EndedAtProvider {
  readonly ok: true;
  readonly subject: string | undefined;
  readonly idpSession: string | undefined;
}

export function notProven(reason: ReasonCode, detail: string): NotProven {
  return { ok: false, reason, detail };
}
