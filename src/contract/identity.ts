// An identity as an identity provider states it, before roles are looked up.

export interface Identity {
  /** Id of the identity provider in lictor.yaml. */
  readonly idp: string;
  /** The permanent id at the provider: a `sub`, a NameID, a role's ARN, a certificate's name. (idp, subject) is the identity. */
  readonly subject: string;
  /** The name for people and configuration. `NAME@IDP` is the principal's id. */
  readonly name: string;
  readonly kind: 'user' | 'service';
  readonly groups: readonly string[];
  /** Further claims as text, for `claim:KEY=VALUE@IDP` and policies; nested ones by dotted path. */
  readonly claims: Readonly<Record<string, string>>;
}
