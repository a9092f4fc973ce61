// 400 and its relatives: the request itself cannot be decided on.
import type { ReasonText } from './text.ts';

export const REQUEST_REASONS = {
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
    hint: 'UTF-8 without BOM, no duplicate keys, no NaN or overflowing numbers, no half surrogate pairs, at most 64 levels.',
  },
  'body-invalid': { status: 400, detail: 'A field of the body has the wrong type or value.', hint: 'See the detail.' },
  'parameters-unreadable': {
    status: 400,
    detail: 'A policy looks at the values of parameters, and these cannot be told apart.',
    hint: 'An object of at most 200 parameters, no name longer than 200 characters or a question mark alone, and no __prefect_kind in place of the whole.',
  },
  'content-type-unsupported': { status: 415, detail: 'The body must be application/json in UTF-8.', hint: 'Set Content-Type: application/json.' },
  'content-encoding-unsupported': { status: 415, detail: 'Encoded request bodies are not accepted here.', hint: 'Send the body without Content-Encoding.' },
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
    detail: 'This path speaks WebSocket only.',
    hint: 'If the client did ask for a WebSocket, a proxy in between dropped the Upgrade header.',
  },
  'service-upgrade': {
    status: 400,
    detail: 'This service takes no Upgrade.',
    hint: 'services[].sockets: true in lictor.yaml lets WebSockets through to it; nothing else that an Upgrade asks for.',
  },
  'socket-handshake': {
    status: 400,
    detail: 'This is no handshake of a WebSocket as it is taken here.',
    hint: 'GET over HTTP/1.1 without a body, Connection: Upgrade, Upgrade: websocket, Sec-WebSocket-Version: 13, a Sec-WebSocket-Key of 16 bytes in base64.',
  },
  'socket-idle': {
    status: 408,
    detail: 'Nothing went through this socket for five minutes.',
    hint: 'Let the client send pings; most libraries do by themselves.',
  },
} as const satisfies Record<string, ReasonText>;
