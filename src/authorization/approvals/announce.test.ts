// Announcements of new requests: signed, with a link, without arguments, and never in the way.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { listenOnLoopback } from '../../../test/env/listen.ts';
import { anApproval } from '../../store/approval.fixture.ts';
import type { StoredApproval } from '../../store/approvals.ts';
import { createAnnouncer } from './announce.ts';

const SECRET = 'a secret of both sides';
const APPROVAL: StoredApproval = {
  ...anApproval({ id: 'id1', onBehalfOf: ['<!channel>@corp'], shownArguments: '{"body":{"region":"eu-secret"}}', resourceName: 'etl/hidden' }),
  ...{ state: 'pending', createdMs: 0, expiresMs: 1_700_000_900_000, decidedBy: null, reason: '' },
};

let server: Server;
let url: string;
let received: { headers: IncomingHttpHeaders; body: string }[];
let statuses: number[];
let wake: () => void;

beforeEach(async () => {
  received = [];
  statuses = [];
  server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await text(request) });
    response.writeHead(statuses.shift() ?? 200).end();
    wake();
  });
  url = `http://127.0.0.1:${await listenOnLoopback(server)}/hook`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Resolves when the receiver has this many. */
async function arrived(count: number): Promise<void> {
  while (received.length < count) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

function open(failures: string[] = [], secret: string | null = SECRET) {
  const pauses: number[] = [];
  const announcer = createAnnouncer({
    rules: [
      { name: 'deletes', notify: { webhook: url, secret } },
      { name: 'silent', notify: null },
    ],
    publicUrl: { origin: 'https://gate.example', basePath: '/p' },
    clock: Date.now,
    onError: (_error, id) => void failures.push(id),
    pause: async (ms) => void pauses.push(ms),
  });
  return { announcer, pauses };
}

it('carries a link, and no argument, object or secret', async () => {
  const { announcer } = open();
  announcer.announce(APPROVAL, 'deletes');
  await arrived(1);
  const body = received[0]?.body ?? '';
  expect(JSON.parse(body)).toEqual({
    text: 'agent:copilot for &lt;!channel&gt;@corp asks to delete deployments (deployments.delete). Decide before 2023-11-14T22:28:20.000Z: https://gate.example/p/.lictor/approvals/id1',
    type: 'approval.requested',
    approval_id: 'id1',
    approval_url: 'https://gate.example/p/.lictor/approvals/id1',
    requested_by: 'agent:copilot',
    on_behalf_of: ['<!channel>@corp'],
    action: 'deployments.delete',
    resource_type: 'Deployment',
    rule: 'deletes',
    expires_at: '2023-11-14T22:28:20.000Z',
  });
  for (const hidden of ['eu-secret', 'etl/hidden', SECRET, 'lct_1']) expect(body).not.toContain(hidden);
  await announcer.close();
});

it('is signed as other webhooks are, and only with a secret', async () => {
  const signed = open();
  signed.announcer.announce(APPROVAL, 'deletes');
  await arrived(1);
  const plain = open([], null);
  plain.announcer.announce(APPROVAL, 'deletes');
  await arrived(2);
  const [first, second] = received;
  const signedText = `id1.${first?.headers['webhook-timestamp']}.${first?.body}`;
  expect(first?.headers['webhook-signature']).toBe(`v1,${createHmac('sha256', SECRET).update(signedText).digest('base64')}`);
  expect(second?.headers['webhook-signature']).toBeUndefined();
  await Promise.all([signed.announcer.close(), plain.announcer.close()]);
});

it('is tried again, with the same id, and given up after four attempts', async () => {
  const failures: string[] = [];
  statuses = [500, 429, 503, 500];
  const { announcer, pauses } = open(failures);
  announcer.announce(APPROVAL, 'deletes');
  await arrived(4);
  await announcer.close();
  expect(pauses).toEqual([1_000, 10_000, 60_000]);
  expect(new Set(received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['id1']));
  expect(failures).toEqual(['id1']);
});

it('drops what exceeds its bound, and sends nothing for rules without an address', async () => {
  const failures: string[] = [];
  const { announcer } = open(failures);
  announcer.announce(APPROVAL, 'silent');
  announcer.announce(APPROVAL, 'taint');
  for (let at = 0; at < 103; at += 1) announcer.announce({ ...APPROVAL, id: `id${at}` }, 'deletes');
  expect(failures).toEqual(['id100', 'id101', 'id102']);
  await announcer.close();
});
