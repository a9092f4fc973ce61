import { describe, expect, it } from 'vitest';
import { parseEdgeInputs } from '../../../authorization/decide/inputs.ts';
import { bareService } from '../../../config/service.fixture.ts';
import type { Service } from '../../../config/service.ts';
import { newKey, outgoingHeaders } from './outgoing.ts';
import type { SocketRuntime } from './parts.ts';
import { callOf, type SocketVisit, targetOf } from './visit.ts';

const inputs = { ...parseEdgeInputs({}), requestId: 'r1', address: '192.0.2.7', args: 'a=1&b' };
const headers = {
  ...{ 'user-agent': 'py', authorization: 'Bearer lct_x', cookie: 'a=b', origin: 'http://localhost', 'x-lictor-token': 'lct_x', 'x-tenant': 'acme' },
  ...{ 'x-other': 'no', 'x-api-key': 'mine', 'sec-websocket-extensions': 'permessage-deflate', 'x-lictor-assertion': 'mine', 'x-forwarded-for': '10.0.0.1' },
};
const visit: SocketVisit = { inputs, service: 'live', below: '/v1/a%20b', headers, claims: {}, startedMs: 0 };
const publicUrl = { origin: 'https://a.test', hostname: 'a.test', port: 443, basePath: '', secure: true };
const services: SocketRuntime['services'] = {
  calls: { authorize: () => Promise.reject(new Error('not asked')) },
  assert: async () => '',
  credentials: { tokens: { of: async () => null, refused: () => undefined } },
};
const runtime: SocketRuntime = {
  config: { services: [], forwardHeaders: ['x-tenant', 'sec-websocket-extensions'], publicUrl, ledger: { failClosed: true } },
  revision: 1,
  services,
};

const asked = (more: Partial<Service> = {}, token: string | null = null, protocols: readonly string[] = []) =>
  outgoingHeaders({ runtime, service: bareService('live', [], more), visit, protocols, assertion: 'signed', token });

describe('the upgrade request to a service', () => {
  it('has the listed headers and the assertion, and no credential, cookie or extension of the client', () => {
    expect(asked()).toEqual({
      ...{ 'user-agent': 'py', 'x-tenant': 'acme', 'x-forwarded-for': '192.0.2.7', 'x-forwarded-proto': 'https', 'x-request-id': 'r1' },
      ...{ 'x-lictor-assertion': 'signed', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
    });
    expect(asked({}, null, ['one', 'two'])['sec-websocket-protocol']).toBe('one, two');
  });

  it('has the credential of the gateway instead of a header of the caller with the same name', () => {
    const forwardHeaders = ['x-api-key'];
    expect(asked({ forwardHeaders, injected: { header: 'X-Api-Key', value: 'ours' } })['x-api-key']).toBe('ours');
    expect(asked({ injected: { header: 'Authorization', value: 'Basic b3Vycw==' } })['authorization']).toBe('Basic b3Vycw==');
    expect(asked({}, 'token')['authorization']).toBe('Bearer token');
  });

  it('has a new key of 16 bytes each time', () => {
    expect(Buffer.from(newKey(), 'base64')).toHaveLength(16);
    expect(newKey()).not.toBe(newKey());
  });

  it('is its path behind that of the servers, byte for byte, with the query', () => {
    expect(targetOf(visit, { path: '/base' })).toBe('/base/v1/a%20b?a=1&b');
    expect(targetOf({ ...visit, inputs: { ...inputs, args: '' } }, { path: '' })).toBe('/v1/a%20b');
  });

  it('is decided by the most specific route of the configuration in use; none where there is none', () => {
    const routes: Service['routes'] = [
      { pattern: '/v1/a%20b', methods: ['GET'] },
      { pattern: '/v1/*', methods: ['GET'] },
    ];
    expect(callOf(visit, bareService('live', routes))).toEqual({ service: 'live', method: 'GET', route: '/v1/a%20b' });
    expect(callOf(visit, bareService('live', routes.slice(1))).route).toBe('/v1/*');
    expect(callOf(visit, bareService('live', [{ pattern: '/v1/*', methods: ['POST'] }])).route).toBe('');
    expect(callOf(visit, undefined).route).toBe('');
  });
});
