// What the service is asked with: the path and the headers of a call, its own credential, and a handshake of the gateway's own.
import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Service } from '../../../config/service.ts';
import type { SocketRuntime } from './parts.ts';
import type { SocketVisit } from './visit.ts';

/** As nginx/service-caller.conf and service-call.conf have them for calls. */
const PASSED = ['user-agent', 'accept-language', 'traceparent', 'tracestate'];

export interface Outgoing {
  readonly runtime: SocketRuntime;
  readonly service: Service;
  readonly visit: SocketVisit;
  readonly protocols: readonly string[];
  /** X-Lictor-Assertion. */
  readonly assertion: string;
  /** An access token; null: this service is shown none. Secret. */
  readonly token: string | null;
}

/** Not the client's: what a service answers to it proves that it has read this request. */
export function newKey(): string {
  return randomBytes(16).toString('base64');
}

/** Without `Host` and the key, which are another's for each server. Only what is listed here goes on. */
export function outgoingHeaders({ runtime, service, visit, protocols, assertion, token }: Outgoing): OutgoingHttpHeaders {
  const { forwardHeaders, publicUrl } = runtime.config;
  const listed = [...PASSED, ...forwardHeaders, ...service.forwardHeaders].filter((name) => !name.startsWith('sec-websocket-'));
  const passed = listed.flatMap((name) => (visit.headers[name] === undefined ? [] : [[name, visit.headers[name]] as const]));
  return {
    ...Object.fromEntries(passed),
    ...credentialOf(service, token),
    'x-forwarded-for': visit.inputs.address,
    'x-forwarded-proto': publicUrl.secure ? 'https' : 'http',
    'x-request-id': visit.inputs.requestId,
    'x-lictor-assertion': assertion,
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }),
  };
}

/** `lictor check` lets no credential stand beside sockets that depends on the call. */
function credentialOf({ injected }: Service, token: string | null): OutgoingHttpHeaders {
  if (token !== null) return { authorization: `Bearer ${token}` };
  return injected !== null && 'header' in injected ? { [injected.header.toLowerCase()]: injected.value } : {};
}
