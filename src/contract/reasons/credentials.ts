// Reasons with status 401: the credential of the request is missing, invalid, expired or revoked.
import type { ReasonText } from './text.ts';

const TOKEN_HINT =
  'Send a service token as Basic password (PREFECT_API_AUTH_STRING=any:TOKEN), as Bearer, or as X-Lictor-Token in PREFECT_CLIENT_CUSTOM_HEADERS.';

export const CREDENTIAL_REASONS = {
  'credential-missing': { status: 401, detail: 'This gateway needs a credential and the request carries none.', hint: TOKEN_HINT },
  'credential-malformed': { status: 401, detail: 'The credential cannot be read.', hint: TOKEN_HINT },
  'credential-unknown': { status: 401, detail: 'The gateway does not know this credential.', hint: TOKEN_HINT },
  'shared-password': {
    status: 401,
    detail: "The request carries Prefect's own auth string, which only observe mode accepts.",
    hint: TOKEN_HINT,
  },
  'credential-expired': { status: 401, detail: 'The credential has expired.', hint: 'Get a new one; for a service token: lictor token rotate NAME.' },
  'credential-revoked': { status: 401, detail: 'The credential has been revoked.', hint: 'Ask for a new one: lictor token create NAME.' },
  'credential-address': { status: 401, detail: 'The credential is not valid from this address.', hint: 'The token is limited to other addresses (--cidr).' },
  'jwt-malformed': {
    status: 401,
    detail: 'The JWT cannot be read, or its header asks for an algorithm or key that the gateway rejects.',
    hint: 'Use RS256, ES256 or EdDSA, without jku, jwk, x5u, x5c, crit or repeated keys; see docs/how-to/workloads.md.',
  },
  'jwt-issuer-unknown': {
    status: 401,
    detail: 'No identity provider in lictor.yaml has the issuer (iss) and audience (aud) of this JWT.',
    hint: 'Ask for a token with the audience of this gateway; lictor.yaml must name its issuer exactly as the token does.',
  },
  'jwt-kind': {
    status: 401,
    detail: 'The JWT is for another purpose: a login, a logout, or bound to a key.',
    hint: 'Send an access token or a workload identity token, not an ID token of a login.',
  },
  'jwt-times': {
    status: 401,
    detail: 'The times of the JWT are not acceptable.',
    hint: 'exp is required, at most 24 hours after iat; nbf and iat must not lie in the future. Check the clocks.',
  },
  'jwt-claims': {
    status: 401,
    detail: 'The claims of the JWT do not meet the rules of its identity provider.',
    hint: 'Check the branch, repository or service account against require in lictor.yaml.',
  },
  'jwt-signature': { status: 401, detail: 'No key of its issuer has signed this JWT.', hint: 'Get a new one from the issuer.' },
  'certificate-refused': {
    status: 401,
    detail: 'The client certificate does not verify.',
    hint: 'It must be signed by an authority in tls.client_ca and be made for client authentication.',
  },
  'certificate-expired': { status: 401, detail: 'The client certificate has expired.', hint: 'Issue a new one; check the clock of the gateway.' },
  'certificate-revoked': { status: 401, detail: 'The client certificate has been revoked.', hint: 'Issue a new one.' },
  'certificate-nameless': {
    status: 401,
    detail: 'The client certificate does not name exactly one principal.',
    hint: 'It needs one name, without an asterisk, of the kind that principal_from says in identity_providers.',
  },
  'aws-request': {
    status: 401,
    detail: 'The signed request is not a GetCallerIdentity for this gateway.',
    hint: 'POST to the STS of a configured region, body Action=GetCallerIdentity&Version=2011-06-15, header X-Lictor-Audience signed; see docs/how-to/workloads.md.',
  },
  'aws-stale': {
    status: 401,
    detail: 'The signed request is too old, or from the future.',
    hint: 'Sign it when you use it, and check the clock: it is valid for 5 minutes.',
  },
  'aws-replayed': { status: 401, detail: 'The signed request was used before.', hint: 'Sign a new one: each is valid once.' },
  'aws-refused': {
    status: 401,
    detail: 'AWS does not confirm the signature, or names neither a role nor a user.',
    hint: 'Sign with the credentials of a role or a user.',
  },
  'session-expired': { status: 401, detail: 'The session has ended.', hint: 'Load the page again to log in; programs use a service token.' },
  'login-failed': { status: 401, detail: 'Name or password is wrong.', hint: 'Try again, or ask an administrator: lictor account passwd NAME.' },
  'session-unconfirmed': {
    status: 401,
    detail: 'The identity provider has not confirmed this session for too long.',
    hint: 'Load the page again to log in when the provider answers.',
  },
  'login-code-refused': {
    status: 401,
    detail: 'The identity provider does not accept the code of this login.',
    hint: 'Start the login again: a code is valid once, for a minute.',
  },
  'id-token-invalid': {
    status: 401,
    detail: 'The gateway cannot verify the answer of the identity provider.',
    hint: 'Start the login again. If it fails again, control.log says what is wrong with the ID token.',
  },
  'id-token-other-login': { status: 401, detail: 'The identity provider answered for another login.', hint: 'Start the login again.' },
  'assertion-invalid': {
    status: 401,
    detail: 'The gateway cannot verify the answer of the identity provider.',
    hint: 'Start the login again. If it fails again, control.log says what is wrong with the assertion.',
  },
  'assertion-other-login': { status: 401, detail: 'The identity provider answered for another login.', hint: 'Start the login again.' },
  'assertion-replayed': { status: 401, detail: 'This answer of the identity provider has been used already.', hint: 'Start the login again.' },
  'login-ended': { status: 401, detail: 'This login of the command line has ended.', hint: 'Log in again: lictor login.' },
  'run-token-not-live': {
    status: 401,
    detail: 'The worker has not started the flow run of this token.',
    hint: 'It becomes valid when the worker that received the run sets it to PENDING; see docs/explanation/run-tokens.md.',
  },
  'run-token-ended': {
    status: 401,
    detail: 'The flow run of this token has ended, or another attempt of it has started.',
    hint: 'A token is valid until a minute after its run ends. See docs/explanation/run-tokens.md.',
  },
  'run-token-orphaned': {
    status: 401,
    detail: 'The worker that started this flow run no longer has a valid credential.',
    hint: 'Revoking a worker also ends the tokens of its runs. See docs/how-to/lost-runs.md.',
  },
  'token-audience': {
    status: 401,
    detail: 'This access token is for another resource of the gateway.',
    hint: 'Ask for one with the resource that it is used for (RFC 8707): public_url for the API, or its interface for agents.',
  },
  'too-many-failures': {
    status: 401,
    detail: 'Too many failed credentials from this address.',
    hint: 'Send a valid credential: it is accepted at once.',
  },
  'socket-token-missing': {
    status: 401,
    detail: 'The socket carries no credential: with PREFECT_API_KEY alone the client sends none on /events/*.',
    hint: 'Set PREFECT_API_AUTH_STRING=any:TOKEN, or PREFECT_CLIENT_CUSTOM_HEADERS, instead of PREFECT_API_KEY.',
  },
  'sidecar-foreign': {
    status: 401,
    detail: 'This port serves only the process that lictor exec started.',
    hint: 'Run the command under lictor exec, with the environment that it sets.',
  },
} as const satisfies Record<string, ReasonText>;
