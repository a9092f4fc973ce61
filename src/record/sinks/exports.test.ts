// The thread, over its real ledger and a real receiver.
import { cpSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LedgerExport } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { NewRecord } from '../../contract/record.ts';
import { writeRecords } from '../ledger/chain/chain.fixture.ts';
import { tempState } from '../ledger/lines.fixture.ts';
import { createExports, type Exports } from './exports.ts';

describe('exports', () => {
  let paths: StatePaths;
  let remove: () => void;
  let exports: Exports;
  let records: NewRecord[];
  let logged: string[];
  let server: Server | undefined;
  let got: string[];
  /** A ledger of 1,500 records, made once. */
  const written = tempState();
  beforeAll(() => writeRecords(written.paths, 1_500));
  afterAll(() => written.remove());
  beforeEach(() => {
    ({ paths, remove } = tempState());
    [records, logged, got, server] = [[], [], [], undefined];
    cpSync(written.paths.root, paths.root, { recursive: true });
    const say = (fields: unknown, text: unknown): void => void logged.push(`${String(text)} ${JSON.stringify(fields)}`);
    exports = createExports({
      paths,
      ...{ node: null, storeAt: paths.storeFile },
      clock: () => Date.parse('2026-03-02T00:00:00.000Z'),
      log: { info: say, warn: say, error: say },
      record: async (record) => void records.push(record),
    });
  });
  afterEach(async () => {
    await exports.close();
    server?.close();
    remove();
  });

  async function receive(port = 0): Promise<number> {
    server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
      got.push(
        ...body
          .trimEnd()
          .split('\n')
          .map((line) => (JSON.parse(line) as { id: string }).id),
      );
      response.end();
    });
    await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  function sink(url: string, more: Partial<LedgerExport> = {}): LedgerExport {
    return { name: 's', type: 'ndjson', url, format: 'record', from: 'start', events: false, timeoutMs: 5_000, ca: null, headers: {}, secret: null, ...more };
  }

  const delivered = (count: number) => vi.waitFor(() => expect(exports.status()).toMatchObject([{ state: { delivered: count }, lag: 0 }]), { timeout: 20_000 });

  function ids(): readonly string[] {
    using db = new DatabaseSync(paths.ledgerFile, { readOnly: true });
    return db
      .prepare('SELECT id FROM records ORDER BY n')
      .all()
      .map(({ id }) => String(id));
  }

  it('deliver what came while a receiver was away, each record once, and go on over a restart', { timeout: 60_000 }, async () => {
    const port = await receive();
    server?.close();
    server?.closeAllConnections();
    await exports.use([sink(`http://127.0.0.1:${port}`)]);
    await vi.waitFor(() => expect(exports.status()).toMatchObject([{ name: 's', state: { n: 0, problem: 'ECONNREFUSED' }, lag: 1_500 }]), { timeout: 20_000 });
    expect(logged).toEqual([expect.stringContaining('they wait')]);
    await receive(port);
    await delivered(1_500);
    expect(logged.at(-1)).toContain('sent again');
    await exports.use([]);
    writeRecords(paths, 30, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    await exports.use([sink(`http://127.0.0.1:${port}`, { headers: { 'x-new': 'one' } })]);
    await delivered(1_530);
    expect(got).toEqual(ids());
  });

  it('give a new sink all that is written once it was asked for, whenever its thread is there', { timeout: 60_000 }, async () => {
    const port = await receive();
    await exports.use([sink(`http://127.0.0.1:${port}`, { from: 'now' })]);
    // No turn of the loop lies between: the thread has not begun.
    writeRecords(paths, 5, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    await delivered(5);
    expect(got).toEqual(ids().slice(-5));
  });

  it('record what a sink did not get before retention deleted it', { timeout: 60_000 }, async () => {
    const port = await receive();
    const to = sink(`http://127.0.0.1:${port}`);
    await exports.use([to]);
    await delivered(1_500);
    await exports.use([]);
    writeRecords(paths, 30, { startMs: Date.parse('2026-03-01T13:00:00.000Z') });
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec('DELETE FROM records WHERE n <= 1510');
    await exports.use([to]);
    await vi.waitFor(() => expect(records).toMatchObject([{ action: 'ledger.export_gap', resource_id: 's', tool: '10 records up to number 1510' }]), {
      timeout: 20_000,
    });
    await delivered(1_520);
  });

  it('store a position for each sink: a dead one delays no other, and the file has no secret', { timeout: 60_000 }, async () => {
    const port = await receive();
    const secret = 'Bearer very-secret-token';
    await exports.use([
      sink('http://127.0.0.1:1', { name: 'dead', headers: { authorization: secret } }),
      sink(`http://127.0.0.1:${port}`, { name: 'live', headers: { authorization: secret } }),
    ]);
    await vi.waitFor(() => expect(exports.status()).toMatchObject([{ state: { delivered: 0 } }, { state: { delivered: 1_500 } }]), { timeout: 20_000 });
    const kept = ['dead', 'live'].map((name) => readFileSync(join(paths.exports, `${name}.json`), 'utf8'));
    expect([...kept, ...logged].join('\n')).not.toContain('very-secret');
    expect(JSON.parse(kept[0] ?? '')).toMatchObject({ n: 0, problem: 'ECONNREFUSED' });
  });
});
