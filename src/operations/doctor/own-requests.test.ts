import { expect, it } from 'vitest';
import type { Probe } from './outside/http-probe.ts';
import type { Attempt } from './outside/sockets.ts';
import { followOwnRequests } from './own-requests.ts';

const PUBLIC = { origin: 'https://prefect.example.com', basePath: '/team' };

async function refusedAfter(url: string, { status = 401, end = null as Attempt['end'], id = 'aa11' }) {
  const answer: Probe = { ok: true, status, headers: { 'x-request-id': id }, body: '', atMs: 0, setCookies: [], localAddress: '' };
  const attempt: Attempt = { status, code: null, contentType: '', end, error: null, requestId: id };
  const own = followOwnRequests(PUBLIC, { probe: async () => answer, attempt: async () => attempt });
  if (url.startsWith('ws')) await own.attempt({ url, headers: {}, tls: { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined } });
  else await own.probe({ url });
  return [...own.refused];
}

it('has the ids of refused requests at public_url, and of refused sockets', async () => {
  expect(await refusedAfter('https://prefect.example.com/team/api/flows', {})).toEqual(['aa11']);
  expect(await refusedAfter('wss://prefect.example.com/team/api/events/in', {})).toEqual(['aa11']);
  expect(await refusedAfter('wss://prefect.example.com/team/api/events/in', { status: 101, end: 1008 })).toEqual(['aa11']);
});

it.each([
  ['of an allowed request', 'https://prefect.example.com/team/api/flows', { status: 200 }],
  ['of a socket that opens', 'wss://prefect.example.com/team/api/events/in', { status: 101, end: 'open' as const }],
  ['of another server', 'http://127.0.0.1:4200/api/flows', {}],
  ['of a host whose name begins the same', 'https://prefect.example.com.evil.example/team/api', {}],
  ['of another form', 'https://prefect.example.com/team/api/flows', { id: 'a b' }],
])('twin: has no id %s', async (_what, url, answer) => {
  expect(await refusedAfter(url, answer)).toEqual([]);
});
