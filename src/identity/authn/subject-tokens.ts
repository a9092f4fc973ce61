// Proofs of other issuers that Lictor exchanges for its own tokens, by the type of the subject token (RFC 8693, 3). One entry for each kind.
import type { Config, IdentityProvider } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Identity } from '../../contract/identity.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { Marks } from '../../store/marks.ts';
import { createProveAws } from './aws-iam/prove.ts';
import type { Jwts } from './jwt/verify.ts';
import type { Outbound } from './outbound.ts';

export type Proof =
  | {
      readonly ok: true;
      readonly identity: Identity;
      readonly provider: IdentityProvider;
      /** The issued token ends then. Null: the proof is for this moment. */
      readonly expiresAtMs: number | null;
      readonly credentialId: string;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

/** Throws LictorError `gateway-unavailable` if the issuer does not answer. */
export type Prove = (subjectToken: string) => Promise<Proof>;

export interface SubjectTokenParts {
  readonly config: Pick<Config, 'identityProviders'>;
  readonly jwts: Pick<Jwts, 'prove'>;
  readonly outboundFor: (caFile: string | null) => Pick<Outbound, 'fetch'>;
  readonly marks: Marks;
  readonly clock: Clock;
}

interface SubjectTokenKind {
  /** Only another service can verify the proof. */
  readonly asksOutside: boolean;
  /** Undefined: the configuration has no such provider. */
  readonly open: (parts: SubjectTokenParts) => Prove | undefined;
}

/** The signed request of AWS has no registered name. */
const KINDS: ReadonlyMap<string, SubjectTokenKind> = new Map<string, SubjectTokenKind>([
  ['urn:ietf:params:oauth:token-type:jwt', { asksOutside: false, open: ({ jwts }) => jwts.prove }],
  ['urn:lictor:token-type:aws-iam', { asksOutside: true, open: openAws }],
]);

/** By subject_token_type. */
export function openProofs(parts: SubjectTokenParts): ReadonlyMap<string, Prove> {
  return new Map(
    [...KINDS].flatMap(([type, { open }]) => {
      const prove = open(parts);
      return prove === undefined ? [] : [[type, prove] as const];
    }),
  );
}

export function asksOutside(subjectTokenType: string | undefined): boolean {
  return KINDS.get(subjectTokenType ?? '')?.asksOutside === true;
}

function openAws({ config, outboundFor, marks, clock }: SubjectTokenParts): Prove | undefined {
  const provider = config.identityProviders.find((candidate) => candidate.type === 'aws-iam');
  return provider && createProveAws({ provider, outbound: outboundFor(provider.caFile), marks, clock });
}
