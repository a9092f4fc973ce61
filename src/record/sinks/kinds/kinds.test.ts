// What receivers see: over real HTTP, TCP and TLS, and in files.
import { createHmac } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../../../test/env/certificate.ts';
import type { LedgerExport } from '../../../config/config.ts';
import { completeRecord } from '../../ledger/append.ts';
import { flowRunEvent, uuid } from '../../ledger/prefect-events/event.fixture.ts';
import { encoderOf, openSink } from '../open-sink.ts';
import { failureWords, type Item } from '../sink.ts';
import { signalUrl } from './otlp-json.ts';
import { syslogMessage } from './syslog.ts';

const NOW = Date.parse('2026-03-01T12:00:00.000Z');
const never = new AbortController().signal;

let directory: string;
let closers: (() => void)[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-sinks-'));
  closers = [];
});
afterEach(() => {
  for (const close of closers) close();
  rmSync(directory, { recursive: true });
});

function config(type: LedgerExport['type'], url: string, more: Partial<LedgerExport> = {}): LedgerExport {
  return { name: 's', type, url, format: 'record', from: 'now', events: false, timeoutMs: 20_000, ca: null, headers: {}, secret: null, ...more };
}

function items(count: number, format: LedgerExport['format'] = 'record'): readonly Item[] {
  return Array.from({ length: count }, (_none, index) => {
    const place = { id: `0199c0de-0000-7000-8000-00000000000${index}`, node: 'n1' };
    const fields = { time: '2026-03-01T12:00:00.250Z', principal: 'zoë@local', action: 'flow_runs.create', decision: 'deny', status: 403 } as const;
    const record = { ...completeRecord({ ...fields, request_id: `r${index}` }, place), seq: index, prev_hash: null, hash: 'h' };
    return encoderOf({ format }).record(record);
  });
}

interface Seen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function receiver(answer: { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: string } = {}) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
    seen.push({ url: request.url ?? '', headers: request.headers, body });
    response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? '');
  });
  return { url: `http://127.0.0.1:${await listening(server)}`, seen };
}

async function listening(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function deliver(to: LedgerExport, batch = items(2), signal = never) {
  const sink = await openSink(to, () => NOW);
  try {
    return await sink.deliver(batch, signal);
  } finally {
    await sink.close();
  }
}

describe('a webhook', () => {
  it('is signed, and has the same id whenever the same records are sent', async () => {
    const { url, seen } = await receiver();
    const to = config('webhook', `${url}/hook`, { secret: 'a secret of some length', headers: { authorization: 'Bearer t' } });
    await deliver(to);
    await deliver(to);
    const [first, second] = seen;
    const id = first?.headers['webhook-id'];
    const signed = `${id}.${first?.headers['webhook-timestamp']}.${first?.body}`;
    expect(first?.headers['webhook-signature']).toBe(`v1,${createHmac('sha256', 'a secret of some length').update(signed).digest('base64')}`);
    expect([first?.url, first?.headers.authorization, second?.headers['webhook-id']]).toEqual(['/hook', 'Bearer t', id]);
    expect(JSON.parse(first?.body ?? '')).toMatchObject([{ request_id: 'r0', principal: 'zoë@local' }, { request_id: 'r1' }]);
  });

  it('takes a secret as Standard Webhooks writes it', async () => {
    const { url, seen } = await receiver();
    const key = Buffer.from('thirty-two bytes of key material');
    await deliver(config('webhook', url, { secret: `whsec_${key.toString('base64')}` }));
    const [only] = seen;
    const signed = `${only?.headers['webhook-id']}.${only?.headers['webhook-timestamp']}.${only?.body}`;
    expect(only?.headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  });

  it.each([
    [{ status: 500 }, { message: 'answers 500', retryAfterMs: null, tooLarge: false }],
    [{ status: 503, headers: { 'retry-after': '7' } }, { retryAfterMs: 7_000 }],
    [{ status: 413 }, { tooLarge: true }],
    [{ status: 302, headers: { location: 'http://127.0.0.1:1/' } }, { message: 'answers 302' }],
  ])('is not delivered with %j', async (answer, expected) => {
    const { url, seen } = await receiver(answer);
    await expect(deliver(config('webhook', url, { secret: 'x'.repeat(16) }))).rejects.toMatchObject(expected);
    expect(seen).toHaveLength(1);
  });

  it('fails without an answer in time, and its error has nothing of the batch', async () => {
    const nobody = await deliver(config('webhook', 'http://127.0.0.1:1', { secret: 'x'.repeat(16) })).catch(failureWords);
    expect(nobody).toBe('ECONNREFUSED');
    const silent = await listening(createTcp());
    const late = await deliver(config('webhook', `http://127.0.0.1:${silent}`, { secret: 'x'.repeat(16) }), items(1), AbortSignal.timeout(50)).catch(
      failureWords,
    );
    expect(late).toBe('TimeoutError');
  });
});

describe('NDJSON', () => {
  it('goes over HTTP, a record a line, as OCSF where that is asked for', async () => {
    const { url, seen } = await receiver();
    await deliver(config('ndjson', url));
    await deliver(config('ndjson', url, { format: 'ocsf' }), items(1, 'ocsf'));
    expect(seen[0]?.headers['content-type']).toBe('application/x-ndjson');
    expect(
      seen[0]?.body
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([{ request_id: 'r0' }, { request_id: 'r1' }]);
    expect(JSON.parse(seen[1]?.body ?? '')).toMatchObject({ class_uid: 6003, metadata: { version: '1.6.0' } });
  });

  it('goes into a file for its owner, also after it was renamed, and over a torn line', async () => {
    const file = join(directory, 'records with space.ndjson');
    const to = config('ndjson', `file://${encodeURI(file)}`);
    await deliver(to);
    appendFileSync(file, '{"id":"tor');
    await deliver(to);
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.map((line) => line === '' || JSON.parse(line).request_id)).toEqual(['r0', 'r1', 'r0', 'r1', true]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    renameSync(file, `${file}.1`);
    await deliver(to, items(1));
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(2);
    await expect(deliver(config('ndjson', `file://${directory}/none/x`))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('syslog', () => {
  it('is RFC 5424 in pure ASCII: facility audit, a warning for what was refused, the record as JSON', () => {
    const [item] = items(1);
    const message = item === undefined ? '' : syslogMessage(item);
    const [, head, json] = /^(<108>1 2026-03-01T12:00:00\.250Z n1 lictor - flow_runs\.create - )([\x20-\x7e]+)$/.exec(message) ?? [];
    expect(head).toBeDefined();
    expect(JSON.parse(json ?? '')).toMatchObject({ request_id: 'r0', principal: 'zoë@local' });
  });

  async function reading(onText: (text: string) => void, tls?: { readonly cert: string; readonly key: string }): Promise<number> {
    const take = (socket: import('node:net').Socket): void => {
      let text = '';
      socket.on('data', (chunk) => {
        text += String(chunk);
      });
      socket.on('end', () => onText(text));
      socket.on('error', () => undefined);
    };
    return listening(tls === undefined ? createTcp(take) : createTls(tls, take));
  }

  it('counts octets, and is delivered when the receiver has read to the end', async () => {
    const texts: string[] = [];
    const port = await reading((text) => texts.push(text));
    await deliver(config('syslog', `tcp://127.0.0.1:${port}`), items(3));
    expect(octetCounted(texts[0] ?? '').map((message) => JSON.parse(message.slice(message.indexOf('{'))).request_id)).toEqual(['r0', 'r1', 'r2']);
  });

  it('uses TLS only with a receiver that the configured authority signed', async () => {
    const files = await selfSigned(directory);
    const [cert, key] = [readFileSync(files.cert, 'utf8'), readFileSync(files.key, 'utf8')];
    const texts: string[] = [];
    const port = await reading((text) => texts.push(text), { cert, key });
    await deliver(config('syslog', `tls://localhost:${port}`, { ca: cert }));
    expect(octetCounted(texts[0] ?? '')).toHaveLength(2);
    await expect(deliver(config('syslog', `tls://localhost:${port}`))).rejects.toThrow();
    expect(texts).toHaveLength(1);
  });

  it('is not delivered when the receiver breaks off, says nothing, or is not there', async () => {
    const hasty = await listening(createTcp((socket) => socket.once('data', () => socket.resetAndDestroy()).on('error', () => undefined)));
    await expect(deliver(config('syslog', `tcp://127.0.0.1:${hasty}`))).rejects.toThrow();
    const silent = await listening(createTcp({ allowHalfOpen: true }, (socket) => closers.push(() => socket.destroy())));
    await expect(deliver(config('syslog', `tcp://127.0.0.1:${silent}`), items(1), AbortSignal.timeout(100))).rejects.toThrow('in time');
    await expect(deliver(config('syslog', 'tcp://127.0.0.1:1'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

/** An event of Prefect, of which the record of a batch speaks. */
function eventItem(format: LedgerExport['format'] = 'record'): Item {
  const [item] = items(1);
  if (item === undefined) throw new Error('no item');
  return encoderOf({ format }).event(flowRunEvent(7, 2), item.record);
}

describe('an event of Prefect', () => {
  const uid = uuid(7);

  it('is a line that is no record; OCSF where that is asked for', async () => {
    const { url, seen } = await receiver();
    await deliver(config('ndjson', url), [eventItem()]);
    await deliver(config('ndjson', url), [eventItem('ocsf')]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ prefect_event: flowRunEvent(7, 2) });
    expect(JSON.parse(seen[1]?.body ?? '')).toMatchObject({ class_uid: 6002, metadata: { uid, product: { name: 'Prefect' } } });
  });

  it('has its own time, name and id, and is never a warning, whatever its record is', async () => {
    expect(syslogMessage(eventItem())).toMatch(/^<109>1 2026-03-01T12:00:00\.000007Z n1 lictor - prefect\.flow-run\.Running - \{"prefect_event":/);
    const { url, seen } = await receiver();
    await deliver(config('otlp', url), [eventItem()]);
    const [record] = JSON.parse(seen[0]?.body ?? '').resourceLogs[0].scopeLogs[0].logRecords;
    expect(record).toMatchObject({ timeUnixNano: '1772366400000000000', severityNumber: 9, eventName: 'prefect.flow-run.Running' });
    expect(record.attributes).toContainEqual({ key: 'log.record.uid', value: { stringValue: uid } });
    expect(record.attributes).toContainEqual({ key: 'prefect.flow_run.id', value: { stringValue: uuid(2) } });
  });

  it('is part of what a webhook calls a batch', async () => {
    const { url, seen } = await receiver();
    await deliver(config('webhook', url, { secret: 'x'.repeat(16) }), [eventItem(), ...items(1)]);
    expect(seen[0]?.headers['webhook-id']).toBe(`${uid}_0199c0de-0000-7000-8000-000000000000`);
  });
});

function octetCounted(text: string): readonly string[] {
  const messages: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const [head = '', count = ''] = /^([1-9][0-9]*) /.exec(rest) ?? [];
    if (head === '') throw new Error(`no count: ${rest.slice(0, 40)}`);
    messages.push(rest.slice(head.length, head.length + Number(count)));
    rest = rest.slice(head.length + Number(count));
  }
  return messages;
}

describe('OTLP logs', () => {
  it('go to the path of logs, and records that the collector rejects are counted', async () => {
    const { url, seen } = await receiver({ body: '{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"no"}}' });
    expect(await deliver(config('otlp', url))).toEqual({ rejected: 1 });
    expect(seen[0]?.url).toBe('/v1/logs');
    const { resourceLogs } = JSON.parse(seen[0]?.body ?? '');
    const [record] = resourceLogs[0].scopeLogs[0].logRecords;
    expect(record).toMatchObject({ timeUnixNano: '1772366400250000000', severityNumber: 13, eventName: 'flow_runs.create' });
    expect(record.attributes).toContainEqual({ key: 'log.record.uid', value: { stringValue: '0199c0de-0000-7000-8000-000000000000' } });
    expect(record.body.kvlistValue.values).toContainEqual({ key: 'status', value: { intValue: '403' } });
  });

  it.each([
    ['http://c:4318', 'http://c:4318/v1/logs'],
    ['http://c:4318/', 'http://c:4318/v1/logs'],
    ['https://c/otlp/v1/logs?x=1', 'https://c/otlp/v1/logs?x=1'],
  ])('%s is %s', (url, expected) => {
    expect(signalUrl(url, '/v1/logs')).toBe(expected);
  });
});
