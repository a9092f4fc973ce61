// 400 and similar: Lictor cannot decide on the request itself.
import type { ReasonText } from './text.ts';

export const REQUEST_REASONS = {
  'path-not-canonical': {
    status: 400,
    detail: 'The path is not in its canonical form.',
    hint: 'No empty or dot segments, no ; or backslash, no encoded slash, no needless percent-encoding, upper-case hex in escapes.',
  },
  'login-unknown': {
    status: 400,
    detail: 'This login did not start here, was used already, or started too long ago.',
    hint: 'Start the login again.',
  },
  'login-other-browser': {
    status: 400,
    detail: 'This login started in another browser, or its cookie is missing.',
    hint: 'Start the login again in this browser, with cookies allowed.',
  },
  'login-other-issuer': {
    status: 400,
    detail: 'The answer comes from a different identity provider than the one that was asked.',
    hint: 'Start the login again.',
  },
  'login-answer-invalid': { status: 400, detail: 'The answer of the identity provider cannot be read.', hint: 'Start the login again.' },
  'logout-request-invalid': { status: 400, detail: 'The logout request is not valid, or was used before.', hint: 'control.log says why.' },
  'logout-token-invalid': { status: 400, detail: 'The logout token is not valid, or was used before.', hint: 'control.log says why.' },
  'device-pending': { status: 400, detail: 'The login has not been confirmed in the browser yet.', hint: 'Ask again after the interval.' },
  'device-slow-down': {
    status: 400,
    detail: 'The client asked about the login sooner than the interval allows.',
    hint: 'Wait five seconds longer between two requests.',
  },
  'device-expired': { status: 400, detail: 'The code of this login has expired.', hint: 'Start the login again: lictor login.' },
  'device-denied': { status: 400, detail: 'The login was refused in the browser.', hint: 'Start it again if that was a mistake: lictor login.' },
  'device-unknown': {
    status: 400,
    detail: 'There is no login with this code, or it has been used.',
    hint: 'Check the code that the terminal shows, or start the login again: lictor login.',
  },
  'device-other-person': {
    status: 400,
    detail: 'The identity provider answered for a different person than the one who approved the login.',
    hint: 'Sign out at the identity provider, then start the login again.',
  },
  'policies-changed': {
    status: 409,
    detail: 'Other policies have come into force since this draft was started.',
    hint: 'Compare the draft with the policies in force, then apply it on the new revision.',
  },
  'policies-unapplied': {
    status: 409,
    detail: 'Files on the disk differ from the policies in force.',
    hint: 'On the gateway, lictor policy diff shows the difference. Apply the files there (lictor policy apply), or restore them.',
  },
  'policies-read-only': {
    status: 409,
    detail: 'The gateway may not write the directory of policies.',
    hint: 'Change the files where they come from, and run lictor policy apply; or let the user of the gateway write the directory.',
  },
  'policies-no-directory': {
    status: 409,
    detail: 'The configuration in use names no directory of policies.',
    hint: 'Create an empty directory, add policies: DIRECTORY to lictor.yaml, and reload.',
  },
  'policies-invalid': { status: 400, detail: 'These policies cannot be applied.', hint: 'Correct every problem; docs/how-to/policies.md has examples.' },
  'policies-same': { status: 400, detail: 'These policies are in force already.', hint: 'Nothing is to be done.' },
  'revision-unknown': { status: 404, detail: 'No policies of this revision are stored.', hint: 'lictor policy history lists the stored revisions.' },
  'approval-unknown': {
    status: 404,
    detail: 'There is no approval with this id, or it is for other people.',
    hint: 'Check the link, or open the list of approvals. The gateway deletes an approval a day after its end.',
  },
  'name-taken': { status: 409, detail: 'There is a live token of this name.', hint: 'Rotate it, revoke it, or take another name.' },
  'own-access': {
    status: 409,
    detail: 'This would end the access of the person who asks.',
    hint: "Another administrator may do it, or the lictor command on the gateway's machine. To end a session of your own: sign out.",
  },
  'approval-over': {
    status: 409,
    detail: 'This approval was decided before, has expired, or the rules have changed since.',
    hint: 'Let the requester send the request again.',
  },
  'refresh-unknown': { status: 400, detail: 'The gateway does not know this refresh token.', hint: 'Log in again: lictor login.' },
  'refresh-replayed': {
    status: 400,
    detail: 'This refresh token was used before, so the login has ended: someone else may have a copy of it.',
    hint: 'Log in again: lictor login. Use a separate login on each machine.',
  },
  'client-unknown': {
    status: 400,
    detail: 'The gateway does not know an OAuth client of this name.',
    hint: 'Ask an administrator to add the client to oauth_clients in lictor.yaml.',
  },
  'client-document-invalid': {
    status: 400,
    detail: 'The metadata document of the client is not valid.',
    hint: 'The maker of the client corrects it, or an administrator adds the client to oauth_clients in lictor.yaml.',
  },
  'client-document-private': {
    status: 400,
    detail: 'The metadata document of the client is not at a public address, so the gateway did not fetch it.',
    hint: 'Ask an administrator to add the client to oauth_clients in lictor.yaml.',
  },
  'client-document-unavailable': {
    status: 400,
    detail: 'The gateway could not fetch the metadata document of the client: no answer in 3 seconds, not status 200, or more than 5 KiB.',
    hint: 'Try again in a minute. If it fails again, ask an administrator to add the client to oauth_clients in lictor.yaml.',
  },
  'redirect-unknown': {
    status: 400,
    detail: 'The client has not registered the redirect_uri of this request.',
    hint: 'An administrator adds it to redirect_uris of the client in oauth_clients. A port on loopback may differ; everything else must be equal.',
  },
  'authorization-expired': {
    status: 400,
    detail: 'The page of this login has expired, or the gateway does not accept the client any more.',
    hint: 'Start the login again in the client.',
  },
  'code-unknown': {
    status: 400,
    detail: 'The gateway does not know this authorization code, it has expired, or it belongs to another client.',
    hint: 'Start the login again in the client. A code is valid for 60 seconds.',
  },
  'code-replayed': {
    status: 400,
    detail: 'This authorization code was used before, so the login has ended: someone else may have a copy of it.',
    hint: 'Start the login again in the client.',
  },
  'redirect-mismatch': {
    status: 400,
    detail: 'The redirect_uri differs from the one of the authorization request.',
    hint: 'Send the same redirect_uri to both endpoints.',
  },
  'verifier-wrong': {
    status: 400,
    detail: 'The code_verifier does not match the code_challenge of the authorization request.',
    hint: 'Start the login again in the client. If it fails again, the client does PKCE (RFC 7636) wrong.',
  },
  'registration-unsupported': {
    status: 400,
    detail: 'The gateway registers no clients on request.',
    hint: 'Ask an administrator to add the client to oauth_clients in lictor.yaml.',
  },
  'actor-chain-long': {
    status: 400,
    detail: 'More than three principals would act for each other.',
    hint: 'Exchange a token with fewer actors: the subject of an exchange may have at most two.',
  },
  'actor-repeated': {
    status: 400,
    detail: 'A principal would act for itself.',
    hint: 'Take another actor: each principal may be in a chain once.',
  },
  'request-invalid': { status: 400, detail: 'The request is malformed.', hint: 'Check headers, cookies and body.' },
  'host-unknown': { status: 400, detail: 'The gateway does not serve this host name.', hint: 'Use the public_url of the gateway.' },
  'query-invalid': {
    status: 400,
    detail: 'A query parameter that the decision depends on is repeated or encoded.',
    hint: 'Send it once, without percent-encoding.',
  },
  'body-not-json': {
    status: 400,
    detail: 'The body is not strict JSON.',
    hint: 'Send UTF-8 without BOM, duplicate keys, NaN, overflowing numbers or half surrogate pairs, at most 64 levels deep.',
  },
  'body-invalid': { status: 400, detail: 'A field of the body has the wrong type or value.', hint: 'See the detail.' },
  'parameters-unreadable': {
    status: 400,
    detail: 'A policy reads the values of parameters, and these cannot be read one by one.',
    hint: 'Send an object of at most 200 parameters, with names of at most 200 characters and not ?, and no __prefect_kind in its place.',
  },
  'content-type-unsupported': { status: 415, detail: 'The body must be application/json in UTF-8.', hint: 'Set Content-Type: application/json.' },
  'content-encoding-unsupported': {
    status: 415,
    detail: 'The gateway does not accept encoded request bodies.',
    hint: 'Send the body without Content-Encoding.',
  },
  'body-too-large': { status: 413, detail: 'The body is larger than 16 MiB.', hint: 'Send less, or in parts.' },
  'body-too-complex': {
    status: 413,
    detail: 'The body holds too many values.',
    hint: 'A body has at most 300,000 values and keys, 1,000 events, and names at most 500 objects; an event on a socket has at most 50,000 values and keys. A key counts twice, as a number like 1.0 does. Send less, or in parts.',
  },
  'not-found': { status: 404, detail: 'Not Found', hint: '' },
  'method-not-allowed': { status: 405, detail: 'Method Not Allowed', hint: '' },
  'not-a-socket': {
    status: 400,
    detail: 'This path accepts WebSockets only.',
    hint: 'If the client did ask for a WebSocket, a proxy in between dropped the Upgrade header.',
  },
  'service-upgrade': {
    status: 400,
    detail: 'This service takes no Upgrade.',
    hint: 'services[].sockets: true in lictor.yaml lets WebSockets through to it; nothing else that an Upgrade asks for.',
  },
  'socket-handshake': {
    status: 400,
    detail: 'The WebSocket handshake is not valid.',
    hint: 'GET over HTTP/1.1 without a body, Connection: Upgrade, Upgrade: websocket, Sec-WebSocket-Version: 13, a Sec-WebSocket-Key of 16 bytes in base64.',
  },
  'socket-idle': {
    status: 408,
    detail: 'Nothing went through this socket for five minutes.',
    hint: 'Let the client send pings; most libraries do by themselves.',
  },
} as const satisfies Record<string, ReasonText>;
