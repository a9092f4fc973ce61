// The closed list of reasons: stable code -> status, words for the client, hint. Documented in docs/errors.md.

export interface ReasonText {
  readonly status: number;
  /** One sentence for the person or program that was refused. ASCII: it travels in a header. */
  readonly detail: string;
  /** What to do about it. ASCII. */
  readonly hint: string;
}

const TOKEN_HINT =
  'Send a service token as Basic password (PREFECT_API_AUTH_STRING=any:TOKEN), as Bearer, or as X-Lictor-Token in PREFECT_CLIENT_CUSTOM_HEADERS.';

export const REASONS = {
  // allow
  'policy-permits': { status: 200, detail: 'A policy permits this.', hint: '' },
  // 401
  'credential-missing': { status: 401, detail: 'This gateway needs a credential and the request carries none.', hint: TOKEN_HINT },
  'credential-malformed': { status: 401, detail: 'The credential cannot be read.', hint: TOKEN_HINT },
  'credential-unknown': { status: 401, detail: 'The credential is not known here.', hint: TOKEN_HINT },
  'credential-expired': { status: 401, detail: 'The credential has expired.', hint: 'Get a fresh one; a service token by lictor token rotate NAME.' },
  'credential-revoked': { status: 401, detail: 'The credential has been revoked.', hint: 'Ask for a new one: lictor token create NAME.' },
  'credential-address': { status: 401, detail: 'The credential is not valid from this address.', hint: 'The token is limited to other addresses (--cidr).' },
  'jwt-malformed': {
    status: 401,
    detail: 'The JWT cannot be read, or its header asks for what is not accepted.',
    hint: 'RS256, ES256 or EdDSA, no jku, jwk, x5u, x5c or crit, no doubled keys; see docs/workloads.md.',
  },
  'jwt-issuer-unknown': {
    status: 401,
    detail: 'No identity provider here has the issuer (iss) and audience (aud) of this JWT.',
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
    hint: 'Another branch, repository or service account? The rules are under require in lictor.yaml.',
  },
  'jwt-signature': { status: 401, detail: 'No key of its issuer has signed this JWT.', hint: 'Get a fresh one from the issuer.' },
  'certificate-refused': {
    status: 401,
    detail: 'The client certificate does not verify.',
    hint: 'It must be signed by an authority in tls.client_ca and be made for client authentication.',
  },
  'certificate-expired': { status: 401, detail: 'The client certificate is out of date.', hint: 'Have a new one made; check the clock of the gateway.' },
  'certificate-revoked': { status: 401, detail: 'The client certificate has been revoked.', hint: 'Have a new one made.' },
  'certificate-nameless': {
    status: 401,
    detail: 'The client certificate does not name exactly one principal.',
    hint: 'It needs one name of the kind that principal_from says in identity_providers.',
  },
  'aws-request': {
    status: 401,
    detail: 'The signed request is not a GetCallerIdentity for this gateway.',
    hint: 'POST to the STS of a configured region, body Action=GetCallerIdentity&Version=2011-06-15, header X-Lictor-Audience signed; see docs/workloads.md.',
  },
  'aws-stale': {
    status: 401,
    detail: 'The signed request is too old, or from the future.',
    hint: 'Sign it when it is used, and check the clock: 5 minutes count.',
  },
  'aws-replayed': { status: 401, detail: 'The signed request was used before.', hint: 'Each one counts once: sign another.' },
  'aws-refused': {
    status: 401,
    detail: 'AWS does not confirm the signature, or names neither a role nor a user.',
    hint: 'Sign with the credentials of a role or a user.',
  },
  'session-expired': { status: 401, detail: 'The session has ended.', hint: 'Load the page again to log in; programs use a service token.' },
  'login-failed': { status: 401, detail: 'Name or password is wrong.', hint: 'Try again, or ask an administrator: lictor account passwd NAME.' },
  'session-unconfirmed': {
    status: 401,
    detail: 'The identity provider has not been able to say for too long whether this session goes on.',
    hint: 'Load the page again to log in, when the provider answers.',
  },
  'login-code-refused': {
    status: 401,
    detail: 'The identity provider does not accept the code of this login.',
    hint: 'It is used once and within a minute. Begin the login again.',
  },
  'id-token-invalid': {
    status: 401,
    detail: 'What the identity provider says about this login cannot be believed.',
    hint: 'Begin the login again. If it stays so, an administrator finds in control.log what is wrong with the ID token.',
  },
  'id-token-other-login': { status: 401, detail: 'The identity provider answered for another login.', hint: 'Begin the login again.' },
  'assertion-invalid': {
    status: 401,
    detail: 'What the identity provider says about this login cannot be believed.',
    hint: 'Begin the login again. If it stays so, an administrator finds in control.log what is wrong with the assertion.',
  },
  'assertion-other-login': { status: 401, detail: 'The identity provider answered for another login.', hint: 'Begin the login again.' },
  'assertion-replayed': { status: 401, detail: 'This answer of the identity provider has been used already.', hint: 'Begin the login again.' },
  'login-ended': { status: 401, detail: 'This login of the command line has ended.', hint: 'Log in again: lictor login.' },
  'token-audience': {
    status: 401,
    detail: 'This access token is for another part of the gateway.',
    hint: 'Ask for one with the resource that it is used for (RFC 8707): public_url for the API, or its interface for agents.',
  },
  'too-many-failures': {
    status: 401,
    detail: 'Too many failed credentials from this address.',
    hint: 'Wait a minute, then try again with a valid credential.',
  },
  'socket-token-missing': {
    status: 401,
    detail: 'The socket carries no credential: with PREFECT_API_KEY alone the client sends none on /events/*.',
    hint: 'Set PREFECT_API_AUTH_STRING=any:TOKEN, or PREFECT_CLIENT_CUSTOM_HEADERS, instead of PREFECT_API_KEY.',
  },
  // 403
  locked: {
    status: 403,
    detail: 'Access from here, or of this principal, is locked.',
    hint: 'Ask an administrator: lictor locks shows why, lictor unlock ends it.',
  },
  'policy-default-deny': { status: 403, detail: 'No policy permits this.', hint: 'Ask an administrator for a role that may do it.' },
  'object-foreign': {
    status: 404,
    detail: 'There is no such object, or it is outside what the roles of this principal hold on.',
    hint: 'The client gets the answer of Prefect for an object that is not there; this reason stands in the record alone.',
  },
  'scope-excludes': {
    status: 403,
    detail: 'The role that may do this does not hold on this object, or not on what it would become.',
    hint: 'Ask an administrator to widen the scope of the role: tags, work_pools, deployments, flows and names are in lictor.yaml.',
  },
  'scope-not-filterable': {
    status: 403,
    detail: 'This cannot be narrowed to the objects that the role holds on, so nothing of it is shown.',
    hint: 'Ask for one object or one kind of objects; an administrator can give a role on everything.',
  },
  'policy-forbids': { status: 403, detail: 'A policy forbids this.', hint: 'Ask an administrator; the record of this request names the policy.' },
  'scope-missing': {
    status: 403,
    detail: 'The scopes that this client was given do not include this.',
    hint: 'Log in again with more: lictor login --scope prefect:read --scope prefect:run.',
  },
  'scope-filter': {
    status: 403,
    detail: 'This filter cannot be joined with the scope of the role.',
    hint: 'Leave operator or_ out, and ask for several tags with all_; docs/scoped-lists.md says what can be joined.',
  },
  'scope-too-wide': {
    status: 403,
    detail: 'Too many objects are in the scope of the role for this list.',
    hint: 'Ask for less: a time, a state, a flow or a deployment in the filter.',
  },
  'role-missing': { status: 403, detail: 'This person has no role here.', hint: 'Ask to be added to a group that has one.' },
  'groups-overage': {
    status: 403,
    detail: 'The identity provider left out the groups of this person, because there are too many.',
    hint: 'An administrator lets it send only the groups that are assigned to this application, or application roles (docs/login.md).',
  },
  'assertion-encrypted': {
    status: 403,
    detail: 'The identity provider encrypts its assertions, which this gateway does not read.',
    hint: 'An administrator of the provider turns their encryption off for this application; they travel over TLS and are signed (docs/login-saml.md).',
  },
  'groups-unreadable': {
    status: 403,
    detail: 'The identity provider sends groups in a form that cannot be read.',
    hint: 'groups_claim or groups_attribute must name a list of names (docs/login.md).',
  },
  'identity-name-taken': {
    status: 403,
    detail: 'This name belonged to somebody else at the identity provider.',
    hint: 'An administrator looks who it is, then forgets the former one: lictor identity forget NAME@IDP.',
  },
  'login-denied-by-idp': { status: 403, detail: 'The identity provider did not let this login through.', hint: 'Try again, or ask its administrator.' },
  'action-unknown': {
    status: 403,
    detail: 'The route is not in the action catalogue, so it is denied.',
    hint: 'Check method and path; a newer Prefect may need a newer Lictor.',
  },
  'route-denied': { status: 403, detail: 'This route is closed at the gateway.', hint: 'It is debug or internal surface of Prefect.' },
  'origin-foreign': {
    status: 403,
    detail: 'A write or a socket by session cookie or client certificate must come from this origin.',
    hint: 'Use a service token for programs.',
  },
  'session-not-accepted': { status: 403, detail: 'A browser session is not accepted here.', hint: TOKEN_HINT },
  'label-reserved': { status: 403, detail: 'Labels that start with lictor. are written by the gateway only.', hint: 'Use another key.' },
  'automation-exceeds-rights': {
    status: 403,
    detail: 'The automation would do what its author may not.',
    hint: 'Its author needs the right of each action, on the object that the action names; inferred targets, webhooks and notifications are for administrators.',
  },
  'bulk-item-forbidden': { status: 403, detail: 'Some of the objects that match may not be changed, so none was.', hint: 'Narrow the filter.' },
  'pull-step-option': {
    status: 403,
    detail: 'A git argument of a pull step starts with a dash, which git on the worker would take for an option.',
    hint: 'Write the name of a repository, branch, commit or directory; only an administrator may write this.',
  },
  'block-called-by-server': {
    status: 403,
    detail: 'The Prefect server itself calls the addresses in blocks of this type, so they are for administrators.',
    hint: 'Ask an administrator, or keep the address in a block of another type.',
  },
  'event-reserved': {
    status: 403,
    detail: 'This event name is for Prefect or the gateway to use.',
    hint: 'Take a name of your own; below prefect. only what stock clients report is accepted, below lictor. nothing.',
  },
  'event-foreign-run': {
    status: 403,
    detail: "The event speaks of a run that is not the sender's, or of two runs at once.",
    hint: 'Resource, related and payload must name one and the same run; the token of a run speaks of that run only.',
  },
  'event-repeated': { status: 403, detail: 'An event with this id came from somebody else.', hint: 'Give each event an id of its own.' },
  // 400 and relatives
  'path-not-canonical': {
    status: 400,
    detail: 'The path is not in its canonical form.',
    hint: 'No empty or dot segments, no ; or backslash, no encoded slash, no needless percent-encoding, upper-case hex in escapes.',
  },
  'login-unknown': {
    status: 400,
    detail: 'This login was not begun here, has been used already, or was begun too long ago.',
    hint: 'Begin the login again.',
  },
  'login-other-browser': {
    status: 400,
    detail: 'This login was begun in another browser, or the cookie of its beginning is gone.',
    hint: 'Begin the login again in this browser, with cookies allowed.',
  },
  'login-other-issuer': { status: 400, detail: 'The answer comes from another identity provider than was asked.', hint: 'Begin the login again.' },
  'login-answer-invalid': { status: 400, detail: 'The answer of the identity provider cannot be read.', hint: 'Begin the login again.' },
  'logout-request-invalid': { status: 400, detail: 'The logout request is not valid, or was used before.', hint: 'control.log says why.' },
  'logout-token-invalid': { status: 400, detail: 'The logout token is not valid, or was used before.', hint: 'control.log says why.' },
  'device-pending': { status: 400, detail: 'The login has not been confirmed in the browser yet.', hint: 'Ask again after the interval.' },
  'device-slow-down': {
    status: 400,
    detail: 'The login was asked for sooner than the interval says.',
    hint: 'Wait five seconds longer between two questions.',
  },
  'device-expired': { status: 400, detail: 'The code of this login is too old.', hint: 'Begin the login again: lictor login.' },
  'device-denied': { status: 400, detail: 'The login was refused in the browser.', hint: 'Begin it again if that was a mistake: lictor login.' },
  'device-unknown': {
    status: 400,
    detail: 'There is no login with this code, or it has been used.',
    hint: 'Look at the code that the terminal shows, or begin the login again: lictor login.',
  },
  'device-other-person': {
    status: 400,
    detail: 'The identity provider answered for somebody else than the person who allowed the login.',
    hint: 'Sign out at the identity provider and begin the login again.',
  },
  'refresh-unknown': { status: 400, detail: 'This refresh token is not known here.', hint: 'Log in again: lictor login.' },
  'refresh-replayed': {
    status: 400,
    detail: 'This refresh token was used before, so the whole login has ended: somebody else may hold a copy of it.',
    hint: 'Log in again: lictor login. Each machine needs a login of its own.',
  },
  'client-unknown': {
    status: 400,
    detail: 'No OAuth client of this name is known here.',
    hint: 'The command line is lictor-cli; other clients are not accepted yet.',
  },
  'flow-unsupported': {
    status: 400,
    detail: 'The authorization code flow is not offered here yet.',
    hint: 'Programs of people use the device flow (lictor login); programs of their own use a service token.',
  },
  'request-invalid': { status: 400, detail: 'The request is malformed.', hint: 'Check headers, cookies and body.' },
  'host-unknown': { status: 400, detail: 'This host name is not served here.', hint: 'Use the public_url of the gateway.' },
  'query-invalid': { status: 400, detail: 'A query parameter that decides is repeated or encoded.', hint: 'Name it once, in plain letters.' },
  'body-not-json': {
    status: 400,
    detail: 'The body is not strict JSON.',
    hint: 'UTF-8 without BOM, no duplicate keys, no NaN or overflowing numbers, at most 64 levels.',
  },
  'body-invalid': { status: 400, detail: 'A field of the body has the wrong type or value.', hint: 'See the detail.' },
  'content-type-unsupported': { status: 415, detail: 'The body must be application/json in UTF-8.', hint: 'Set Content-Type: application/json.' },
  'content-encoding-unsupported': { status: 415, detail: 'Encoded request bodies are not accepted here.', hint: 'Send the body without Content-Encoding.' },
  'body-too-large': { status: 413, detail: 'The body is larger than 16 MiB.', hint: 'Send less, or in parts.' },
  'not-found': { status: 404, detail: 'Not Found', hint: '' },
  'method-not-allowed': { status: 405, detail: 'Method Not Allowed', hint: '' },
  'not-a-socket': {
    status: 400,
    detail: 'This path speaks WebSocket only.',
    hint: 'If the client did ask for a WebSocket, a proxy in between dropped the Upgrade header.',
  },
  // 429, 503
  'sockets-waiting': {
    status: 503,
    detail: 'Too many sockets that have shown no credential yet are waiting.',
    hint: 'Come back; sockets with PREFECT_CLIENT_CUSTOM_HEADERS are decided at once and never wait.',
  },
  'rate-limited': { status: 429, detail: 'Too many requests.', hint: 'Slow down; stock Prefect clients wait by themselves.' },
  'login-throttled': { status: 429, detail: 'Too many failed logins.', hint: 'Wait a minute, then try again.' },
  'device-throttled': { status: 429, detail: 'Too many wrong codes.', hint: 'Wait a minute, then type the code that the terminal shows.' },
  'gateway-unavailable': { status: 503, detail: 'The gateway cannot decide just now.', hint: 'Retry; nothing was forwarded.' },
  'idp-unavailable': {
    status: 503,
    detail: 'The identity provider cannot be reached.',
    hint: 'Try again in a minute. An administrator finds the cause in control.log, and gets in with a built-in account meanwhile.',
  },
  'idp-misconfigured': {
    status: 503,
    detail: 'The identity provider and this gateway are not set up for each other.',
    hint: 'An administrator finds in control.log what does not fit.',
  },
  'upstream-unavailable': {
    status: 503,
    detail: 'Prefect does not answer, or does not take the credential of the gateway itself.',
    hint: 'Retry; lictor doctor says which, and what to do.',
  },
  'upstream-timeout': { status: 503, detail: 'Prefect did not answer in time.', hint: 'The request may have been carried out.' },
  'ledger-unavailable': { status: 503, detail: 'The ledger cannot be written, so changes are refused.', hint: 'Check disk space of the state directory.' },
  'sidecar-foreign': {
    status: 401,
    detail: 'This port serves only the process that lictor exec started.',
    hint: 'Run the command under lictor exec, with the environment that it sets.',
  },
  'sidecar-no-credential': {
    status: 503,
    detail: 'The credential has ended and a fresh one cannot be had just now.',
    hint: 'lictor exec says on its standard error which provider is away; nothing was forwarded.',
  },
  'sidecar-no-gateway': { status: 503, detail: 'The gateway cannot be reached.', hint: 'Check the address that lictor exec was given.' },
  'outcome-unknown': { status: 503, detail: 'The control plane stopped before the outcome was known.', hint: 'Look at the object in Prefect.' },
} as const satisfies Record<string, ReasonText>;

export type ReasonCode = keyof typeof REASONS;

/** The JSON body of every refusal (CONTRACT 3). `detail` may be made more precise by the caller. */
export function refusalBody(code: ReasonCode, requestId: string, detail?: string): { detail: string; code: ReasonCode; hint: string; request_id: string } {
  const text = REASONS[code];
  return { detail: detail ?? text.detail, code, hint: text.hint, request_id: requestId };
}

export function isReasonCode(value: string): value is ReasonCode {
  return Object.hasOwn(REASONS, value);
}
