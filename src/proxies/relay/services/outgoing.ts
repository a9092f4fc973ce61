// The upgrade request to the service: path and headers of a call, the service's credential, and the gateway's own handshake.
import { randomBytes } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { Service } from '../../../config/service.ts';
import type { SocketRuntime } from './parts.ts';
import type { SocketVisit } from './visit.ts';

/** As in nginx/service-caller.conf and service-call.conf for calls. */
const PASSED = ['user-agent', 'accept-language', 'traceparent', 'tracestate'];

export interface Outgoing {
  readonly runtime: SocketRuntime;
  readonly service: Service;
  readonly visit: SocketVisit;
  readonly protocols: readonly string[];
  /** X-Lictor-Assertion. */
  readonly assertion: string;
  /** An access token. Null: this service gets none. Secret. */
  readonly token: string | null;
}

/** A new key: the service's answer to it proves that the service has read this request. */
export function newKey(): string {
  return randomBytes(16).toString('base64');
}

/** Without `Host` and the key, which differ for each server. Only listed headers are forwarded. */
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

/** `lictor check` rejects sockets together with a credential that depends on the call. */
function credentialOf({ injected }: Service, token: string | null): OutgoingHttpHeaders {
  if (token !== null) return { authorization: `Bearer ${token}` };
  return injected !== null && 'header' in injected ? { [injected.header.toLowerCase()]: injected.value } : {};
}
