// What OpenID Connect and SAML have in common: people are sent to a provider, and come back with an answer that proves who they are.
import type { Identity } from '../../../contract/identity.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';

/** One identity provider of lictor.yaml that people log in at. Nothing here throws for a "no": a refusal is a value. */
export interface ExternalProvider {
  readonly idp: string;
  /** Whose word it speaks (`wordOf`). */
  readonly word: string;
  /** Where the browser goes, and what only the answer to this attempt can be checked with (the caller seals it). */
  begin(attempt: BeginRequest): Promise<Begun | NotProven>;
  /** Whether it says that it gives tokens that outlive its session; left out: it has none. */
  offersOffline?(): Promise<boolean>;
  /** What the browser brought back. The caller has taken the attempt, so that each answer is looked at once. */
  finish(answer: ProviderAnswer): Promise<Proven | NotProven>;
  /** Its proofs put that question off (`refreshAfterMs`) for no longer; null: it is not asked. */
  readonly asksWithinMs: number | null;
  /** Asks the provider whether the session goes on; only for sessions whose proof had `refreshAfterMs`. */
  confirm(stored: string, identity: Identity): Promise<Confirmed>;
  /** How to end the provider's own session from the browser; undefined: it has no way. */
  leave(stored: string | undefined, returnUrl: string): Promise<LeaveForm | undefined>;
  /** The provider's own message that a session, or a person, has ended there (OIDC: a logout token). Each message counts once. */
  loggedOut(message: string): Promise<EndedAtProvider | NotProven>;
  /** What SAML has and OpenID Connect has not; undefined: it is no SAML provider. */
  readonly saml?: SamlSide;
  /** True when its metadata is known: a login can begin. */
  ready(): Promise<boolean>;
}

export interface BeginRequest {
  /** 22 characters of `A-Za-z0-9_-`; comes back with the answer (`state`, RelayState). */
  readonly state: string;
  readonly callbackUrl: string;
  /** The person asked to be somebody else than whom the provider remembers. */
  readonly asOtherPrincipal: boolean;
  /** Tokens are wanted that outlive the person's session at the provider (OpenID Connect Core 11). */
  readonly offline?: boolean;
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
  readonly stored: string | null;
  /** When the provider must be asked again; null: it cannot be. */
  readonly refreshAfterMs: number | null;
  /** When its session is over, whatever anybody does; null: the provider did not say. */
  readonly sessionEndsMs: number | null;
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

/** A form that the browser sends to the provider: no token ever stands in an address. */
export interface LeaveForm {
  /** Left out: post. `get`: the message is made for an address (SAML's HTTP-Redirect), and names a session without opening one. */
  readonly method?: 'get' | 'post';
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** At least one of the two is there; both: this session of this person. */
export interface EndedAtProvider {
  readonly ok: true;
  readonly subject: string | undefined;
  readonly idpSession: string | undefined;
}

export interface SamlSide {
  /** Our own metadata, for the provider's administrator. */
  ownMetadata(): Promise<string>;
  /** A login that began at the provider. */
  finishUnasked(params: URLSearchParams): Promise<Proven | NotProven>;
  /** The provider says that sessions have ended. Each message counts once. */
  logoutAsked(asked: LogoutAsked): Promise<LogoutAt | NotProven>;
}

export interface LogoutAsked {
  /** In a form, or in an address: there the signature is over the very characters of the query. */
  readonly message: { readonly binding: 'post'; readonly encoded: string } | { readonly binding: 'redirect'; readonly query: string };
  /** Goes back as it came. */
  readonly relayState: string;
}

export interface LogoutAt {
  readonly ok: true;
  readonly subject: string;
  /** Empty: all sessions of the subject. */
  readonly sessionIndexes: readonly string[];
  /** Where the browser takes our answer; null: nowhere. */
  readonly answerLocation: string | null;
}

export function notProven(reason: ReasonCode, detail: string): NotProven {
  return { ok: false, reason, detail };
}
