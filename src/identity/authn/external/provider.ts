// What OpenID Connect and SAML have in common: people go to a provider, and return with an answer that proves who they are.
import type { Identity } from '../../../contract/identity.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { PublishedStatus } from '../published.ts';

/** One identity provider of lictor.yaml that people log in at. A rejection is a value; nothing throws for it. */
export interface ExternalProvider {
  readonly idp: string;
  /** Identifies the provider's people (`wordOf`). */
  readonly word: string;
  /** The address for the browser, and the secret for checking the answer to this attempt. The caller seals the secret. */
  begin(attempt: BeginRequest): Promise<Begun | NotProven>;
  /** Whether the provider issues tokens that outlive its session. Left out: it does not. */
  offersOffline?(): Promise<boolean>;
  /** The answer from the browser. The caller has consumed the attempt, so each answer is checked once. */
  finish(answer: ProviderAnswer): Promise<Proven | NotProven>;
  /** The longest time until the next question (`refreshAfterMs`). Null: Lictor does not ask. */
  readonly asksWithinMs: number | null;
  /** Asks the provider whether the session continues. Only for sessions whose proof had `refreshAfterMs`. */
  confirm(stored: string, identity: Identity): Promise<Confirmed>;
  /** How to end the provider's session from the browser. Undefined: the provider offers no way. */
  leave(stored: string | undefined, returnUrl: string): Promise<LeaveForm | undefined>;
  /** The provider's message that a session or a person has ended there (OIDC: a logout token). Each message counts once. */
  loggedOut(message: string): Promise<EndedAtProvider | NotProven>;
  /** What only SAML has. Undefined: it is not a SAML provider. */
  readonly saml?: SamlSide;
  /** What Lictor has read from the provider. Sends no request. */
  status(): Promise<ProviderStatus>;
  /** True when its metadata is known, so that a login can begin. */
  ready(): Promise<boolean>;
}

/** Null: the provider has none, or Lictor has not looked for it yet. */
export interface ProviderStatus {
  readonly metadata: PublishedStatus | null;
  readonly keys: PublishedStatus | null;
}

export interface BeginRequest {
  /** 22 characters of `A-Za-z0-9_-`, returned with the answer (`state`, RelayState). */
  readonly state: string;
  readonly callbackUrl: string;
  /** The person asks for another account than the one that the provider remembers. */
  readonly asOtherPrincipal: boolean;
  /** The person proves the identity anew, even with a session at the provider. */
  readonly isFresh?: boolean;
  /** Asks for tokens that outlive the person's session at the provider (OpenID Connect Core 11). */
  readonly offline?: boolean;
}

export interface Begun {
  readonly ok: true;
  readonly location: string;
  readonly secret: string;
}

export interface ProviderAnswer {
  /** As the browser sent them, with duplicates. */
  readonly params: URLSearchParams;
  readonly state: string;
  readonly callbackUrl: string;
  readonly secret: string;
}

export interface Proven {
  readonly ok: true;
  readonly identity: Identity;
  /** The provider's ID of its session. Null: it has none. */
  readonly idpSession: string | null;
  /** What `confirm` and `leave` need later (tokens). The caller seals it. Null: nothing. */
  readonly stored: string | null;
  /** When the provider must be asked again. Null: it cannot be asked. */
  readonly refreshAfterMs: number | null;
  /** When the person proved the identity to the provider. Null: not known, since a session at the provider may have answered. */
  readonly authenticatedMs: number | null;
  /** When its session ends at the latest. Null: the provider named no end. */
  readonly sessionEndsMs: number | null;
  /** Why the groups of the identity are not known. The login succeeds only if SCIM knows them. */
  readonly groupsMissing?: NotProven;
}

export interface NotProven {
  readonly ok: false;
  readonly reason: ReasonCode;
  /** For the log: what failed, never a token, a code or a body. */
  readonly detail: string;
  /** The person is proven, and only the groups are not known. */
  readonly withoutGroups?: Identity;
}

export type Confirmed =
  | { readonly state: 'live'; readonly proof: Proven }
  /** `isRefused`: the provider was asked, and refuses to confirm the person. */
  | { readonly state: 'ended'; readonly isRefused: boolean; readonly reason: ReasonCode; readonly detail: string }
  /** No usable answer: the state is not known. */
  | { readonly state: 'unknown'; readonly detail: string };

/** A form that the browser sends to the provider: no token ever appears in a URL. */
export interface LeaveForm {
  /** Left out: post. `get`: the message is for a URL (SAML's HTTP-Redirect). It names a session and cannot open one. */
  readonly method?: 'get' | 'post';
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** At least one of the two is set. Both: this session of this person. */
export interface EndedAtProvider {
  readonly ok: true;
  readonly subject: string | undefined;
  readonly idpSession: string | undefined;
}

export interface SamlSide {
  /** Lictor's metadata, for the provider's administrator. */
  ownMetadata(): Promise<string>;
  /** A login that began at the provider. */
  finishUnasked(params: URLSearchParams): Promise<Proven | NotProven>;
  /** The provider reports that sessions have ended. Each message counts once. */
  logoutAsked(asked: LogoutAsked): Promise<LogoutAt | NotProven>;
}

export interface LogoutAsked {
  /** In a form or in a URL. In a URL, the signature covers the exact characters of the query. */
  readonly message: { readonly binding: 'post'; readonly encoded: string } | { readonly binding: 'redirect'; readonly query: string };
  /** Returned unchanged. */
  readonly relayState: string;
}

export interface LogoutAt {
  readonly ok: true;
  readonly subject: string;
  /** Empty: all sessions of the subject. */
  readonly sessionIndexes: readonly string[];
  /** Where the browser sends Lictor's answer. Null: nowhere. */
  readonly answerLocation: string | null;
}

/** The pages of a provider, and clocks that differ. */
const FRESH_WITHIN_MS = 10 * 60_000;

/** The proof of a fresh login. Not every provider states when the person logged in. */
export function freshlyProven(proof: Proven, nowMs: number): Proven | NotProven {
  const { authenticatedMs } = proof;
  if (authenticatedMs !== null && authenticatedMs < nowMs - FRESH_WITHIN_MS) return notProven('login-not-recent', 'the provider did not ask the person again');
  return { ...proof, authenticatedMs: authenticatedMs ?? nowMs };
}

export function notProven(reason: ReasonCode, detail: string): NotProven {
  return { ok: false, reason, detail };
}

type Reading = { readonly ok: true; readonly identity: Identity; readonly groupsMissing?: NotProven } | NotProven;

/** Proven also if only the groups are not known: SCIM may know them. */
export function knownIdentity(read: Reading): Reading {
  return read.ok || read.withoutGroups === undefined ? read : { ok: true, identity: read.withoutGroups, groupsMissing: read };
}
