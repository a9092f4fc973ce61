import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatePaths } from '../config/state-dir.ts';
import { START_MS, withChain, writeRecords } from '../record/ledger/chain/chain.fixture.ts';
import { rechain } from '../record/ledger/chain/tampering.fixture.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { flowRunEvent, writeEvents } from '../record/ledger/prefect-events/event.fixture.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

let paths: StatePaths;
let remove: () => void;
let elsewhere: { readonly paths: StatePaths; readonly remove: () => void };
beforeEach(() => {
  ({ paths, remove } = tempState());
  elsewhere = tempState();
  writeRecords(paths, 120);
});
afterEach(() => {
  remove();
  elsewhere.remove();
});

async function audit(state: StatePaths, ...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const chunks: Buffer[] = [];
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  const status = await main({ args: ['--state-dir', state.root, 'audit', ...args], out, err, env: {}, cwd: state.root });
  return { status, out: Buffer.concat(chunks).toString(), err: String(err.read() ?? '') };
}

function change(sql: string, file = paths.ledgerFile): void {
  using db = new DatabaseSync(file);
  db.exec(sql);
}

const at = (name: string) => join(elsewhere.paths.root, name);

describe('lictor audit verify', () => {
  it('says how much it looked at, and what it cannot know', async () => {
    const { status, out } = await audit(paths, 'verify');
    expect(status).toBe(0);
    expect(out).toMatch(
      /^n1: 120 records, 1 to 120, 2026-03-01T12:00:00.000Z to .*\nsigned: 1 checkpoint, .*\nok {2}no record was edited, removed, added or moved\n/,
    );
    expect(out).toContain('--head');
  });

  it('exits 1 and says where, in words and as JSON', async () => {
    change("UPDATE records SET principal = 'mallory@local' WHERE seq = 77");
    const { status, out } = await audit(paths, 'verify');
    expect([status, out]).toEqual([1, expect.stringMatching(/FAIL {2}record 77 of n1 \(.*\) was edited/)]);
    const json = JSON.parse((await audit(paths, 'verify', '--json')).out);
    expect(json).toMatchObject({ ok: false, problems: [{ kind: 'edited', seq: 77, node: 'n1' }], key_from: 'gateway' });
  });

  it('finds nothing wrong where the command that changed the key was killed before the file was in place, and neither do export and head', async () => {
    withChain(paths, (chain) => chain.changeKey(), START_MS + 60_000); // and never finished
    expect(await audit(paths, 'verify')).toMatchObject({ status: 0, out: expect.stringContaining('ok  no record was edited') });
    expect((await audit(paths, 'head', '-o', at('head.json'))).status).toBe(0);
    expect((await audit(paths, 'export', '-o', at('export.ndjson'))).status).toBe(0);
    expect(await audit(elsewhere.paths, 'verify', at('export.ndjson'), '--key', at('head.json'))).toMatchObject({ status: 0 });
  });

  it('needs its key, and says so', async () => {
    rmSync(paths.ledgerKey);
    expect(await audit(paths, 'verify')).toMatchObject({ status: 1, err: expect.stringContaining('Restore it') });
  });

  it('is there before the first start in words too', async () => {
    expect(await audit(elsewhere.paths, 'verify')).toMatchObject({ status: 1, err: expect.stringContaining('There is no ledger') });
    expect(await audit(elsewhere.paths, 'export')).toMatchObject({ status: 1, err: expect.stringContaining('There is no ledger') });
  });

  it('finds with a saved head that records and all signatures about them are gone', async () => {
    const early = at('early.db');
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec(`VACUUM INTO '${early}'`);
    writeRecords(paths, 30, { startMs: START_MS + 60_000 });
    expect(await audit(paths, 'head', '-o', at('head.json'))).toMatchObject({ status: 0 });
    expect((await audit(paths, 'verify', '--head', at('head.json'))).status).toBe(0);
    db.close();
    for (const file of [paths.ledgerFile, `${paths.ledgerFile}-wal`, `${paths.ledgerFile}-shm`]) rmSync(file, { force: true });
    cpSync(early, paths.ledgerFile);
    expect((await audit(paths, 'verify')).status).toBe(0);
    expect(await audit(paths, 'verify', '--head', at('head.json'))).toMatchObject({
      status: 1,
      out: expect.stringContaining('records 121 to 150 of n1 are gone'),
    });
  });
});

describe('lictor audit export', () => {
  it('can be verified elsewhere: by itself, and with the key of the gateway', async () => {
    expect(await audit(paths, 'export', '-o', at('all.ndjson'))).toMatchObject({ status: 0 });
    expect(statSync(at('all.ndjson')).mode & 0o777).toBe(0o600);
    await audit(paths, 'head', '-o', at('head.json'));
    const alone = await audit(elsewhere.paths, 'verify', at('all.ndjson'));
    expect([alone.status, alone.out]).toEqual([0, expect.stringContaining("the key is the file's own")]);
    const known = await audit(elsewhere.paths, 'verify', at('all.ndjson'), '--key', at('head.json'));
    expect([known.status, known.out]).toEqual([0, expect.not.stringContaining("the key is the file's own")]);
    expect((await audit(elsewhere.paths, 'verify', at('all.ndjson'), '--head', at('head.json'))).status).toBe(0);
  });

  it('is the records that audit --json prints, in their order, then what proves them', async () => {
    const lines = (await audit(paths, 'export')).out.trim().split('\n');
    const records = (await audit(paths, '--json')).out.trim().split('\n');
    expect(lines.slice(0, 120)).toEqual(records);
    expect(lines.slice(120).map((line) => JSON.parse(line).signed)).toEqual(['checkpoint', 'export']);
  });

  it('signs nothing for an attacker who rewrote the records with a forged head', async () => {
    using db = new DatabaseSync(paths.ledgerFile);
    db.exec("UPDATE records SET principal = 'mallory@local' WHERE seq = 77");
    rechain(db, 77);
    const end = db.prepare('SELECT hash FROM records WHERE seq = 120').get()?.['hash'];
    const head = JSON.parse(String(db.prepare('SELECT text FROM head').get()?.['text']));
    db.prepare('UPDATE head SET text = ?').run(JSON.stringify({ ...head, chains: [{ ...head.chains[0], hash: end }] }));
    const { status, err } = await audit(paths, 'export', '-o', at('forged.ndjson'));
    expect([status, err]).toEqual([1, expect.stringContaining('audit verify')]);
    expect(existsSync(at('forged.ndjson'))).toBe(false);
  });

  it('begins where it is asked to, and says that it does', async () => {
    await audit(paths, 'export', '--since', '2026-03-01T12:00:06Z', '-o', at('late.ndjson'));
    const { status, out } = await audit(elsewhere.paths, 'verify', at('late.ndjson'));
    expect([status, out]).toEqual([0, expect.stringMatching(/^n1: 60 records, 61 to 120, .*begins with record 61/s)]);
  });

  it.each<[string, (lines: string[]) => void, RegExp]>([
    ['a record is edited', (lines) => lines.splice(5, 1, (lines[5] ?? '').replace('alice@local', 'bob@local')), /record 6 of n1 .* was edited/],
    ['one is gone', (lines) => lines.splice(5, 1), /record 6 of n1 is gone/],
    ['two are swapped', (lines) => lines.splice(5, 2, lines[6] ?? '', lines[5] ?? ''), /record 6 of n1 is gone|was moved/],
    ['one is there twice', (lines) => lines.splice(5, 0, lines[5] ?? ''), /was moved, or is a duplicate/],
    ['the last ones are gone', (lines) => lines.splice(100, 20), /records 101 to 120 of n1 are gone/],
    ['the first ones are gone', (lines) => lines.splice(0, 20), /records 1 to 20 of n1 are gone/],
    ['its end is gone', (lines) => lines.pop(), /no signed head/],
    ['a checkpoint is gone', (lines) => lines.splice(120, 1), /not signed|checkpoints/],
    ['a field is added', (lines) => lines.splice(5, 1, (lines[5] ?? '').replace('{', '{"more":1,')), /line 6: neither a record/],
    ['a line is no JSON', (lines) => lines.splice(5, 1, 'x'), /line 6: neither a record/],
  ])('fails when %s', async (_name, tamper, words) => {
    await audit(paths, 'export', '-o', at('all.ndjson'));
    await audit(paths, 'head', '-o', at('head.json'));
    const lines = readFileSync(at('all.ndjson'), 'utf8').trim().split('\n');
    tamper(lines);
    writeFileSync(at('all.ndjson'), `${lines.join('\n')}\n`);
    const { status, out, err } = await audit(elsewhere.paths, 'verify', at('all.ndjson'), '--key', at('head.json'));
    expect([status, `${out}${err}`]).toEqual([1, expect.stringMatching(words)]);
  });

  it('of a part cannot take the place of the ledger, nor a file of another gateway that of this one', async () => {
    await audit(paths, 'head', '-o', at('head.json'));
    writeRecords(elsewhere.paths, 20);
    await audit(elsewhere.paths, 'export', '-o', at('other.ndjson'));
    expect((await audit(paths, 'verify', at('other.ndjson'))).status).toBe(1);
    expect((await audit(paths, 'verify', at('other.ndjson'), '--head', at('head.json'))).status).toBe(1);
    appendFileSync(at('head.json'), 'x');
    expect(await audit(paths, 'verify', '--head', at('head.json'))).toMatchObject({ status: 1, err: expect.stringContaining('is no head') });
  });

  it('may stand behind a head, of which there may be several, and none of them is anything else', async () => {
    await audit(paths, 'head', '-o', at('head.json'));
    await audit(paths, 'export', '-o', at('all.ndjson'));
    const heads = ['--head', at('head.json'), '--head', at('head.json')];
    const { status, out } = await audit(elsewhere.paths, 'verify', ...heads, at('all.ndjson'));
    expect([status, out]).toEqual([0, expect.not.stringContaining('found only against a head')]);
    expect(await audit(elsewhere.paths, 'verify', ...heads, '--head', at('all.ndjson'), at('all.ndjson'))).toEqual({
      status: 1,
      out: '',
      err: `lictor: ${at('all.ndjson')} is no head: lictor audit head writes one.\n`,
    });
  });

  it('leaves nothing half written behind, and makes no proof of OCSF', async () => {
    expect((await audit(paths, 'export', '-o', at('no/such/folder/file'))).status).toBe(1);
    expect(existsSync(at('no'))).toBe(false);
    const events = (await audit(paths, 'export', '--format', 'ocsf')).out.trim().split('\n');
    expect(events).toHaveLength(120);
    expect(JSON.parse(events[0] ?? '')).toMatchObject({ class_uid: 6003, metadata: { sequence: 1 } });
  });
});

describe('lictor audit head', () => {
  it('replaces a stored file only when the new one is written', async () => {
    writeFileSync(at('head.json'), 'kept');
    mkdirSync(at(`head.json.${process.pid}.partial`));
    expect(await audit(paths, 'head', '-o', at('head.json'))).toMatchObject({ status: 1, err: expect.stringContaining('head.json was not written') });
    expect(readFileSync(at('head.json'), 'utf8')).toBe('kept');
  });

  it('replaces it as a whole, for everybody to read whom the umask lets', async () => {
    writeFileSync(at('head.json'), 'kept'.repeat(1_000), { mode: 0o600 });
    expect(await audit(paths, 'head', '-o', at('head.json'))).toMatchObject({ status: 0, err: '' });
    expect(JSON.parse(readFileSync(at('head.json'), 'utf8'))).toMatchObject({ signed: 'head' });
    expect(statSync(at('head.json')).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it.each([
    ['no/such/head.json', 'is not there'],
    ['', 'it is a directory'],
  ])('says in words that it cannot be written: %j', async (name, words) => {
    const { status, err } = await audit(paths, 'head', '-o', at(name));
    expect([status, err]).toEqual([1, expect.stringContaining(words)]);
    expect(err).not.toContain('defect');
  });
});

describe('lictor audit export --events', () => {
  beforeEach(() => {
    writeEvents(paths, [flowRunEvent(1, 7), flowRunEvent(2, 7, { state_name: 'Completed', state_type: 'COMPLETED' })]);
    writeEvents(paths, [flowRunEvent(3, 8)]);
    writeRecords(paths, 5, { startMs: START_MS + 60_000 });
  });
  const exported = async (...args: string[]): Promise<string[]> => {
    expect(await audit(paths, 'export', ...args, '-o', at('all.ndjson'))).toMatchObject({ status: 0 });
    return readFileSync(at('all.ndjson'), 'utf8').trim().split('\n');
  };
  const verified = async (lines: readonly string[]) => {
    writeFileSync(at('all.ndjson'), `${lines.join('\n')}\n`);
    const { status, out, err } = await audit(elsewhere.paths, 'verify', at('all.ndjson'));
    return { status, said: `${out}${err}` };
  };
  const isEvent = (line: string) => line.startsWith('{"prefect_event"');

  it('carries them, each before the record that proves it, and they are examined elsewhere', async () => {
    const lines = await exported('--events');
    expect(lines.flatMap((line, index) => (isEvent(line) ? [index] : []))).toEqual([120, 121, 123]);
    expect(JSON.parse(lines[121] ?? '')).toEqual({ prefect_event: flowRunEvent(2, 7, { state_name: 'Completed', state_type: 'COMPLETED' }) });
    expect(await verified(lines)).toEqual({ status: 0, said: expect.stringContaining('3 events of Prefect were held against their digests') });
    expect(JSON.parse((await audit(elsewhere.paths, 'verify', at('all.ndjson'), '--json')).out)).toMatchObject({ events: { checked: 3, unchecked: 0 } });
  });

  it('without it says that they were not examined, and how many', async () => {
    const lines = await exported();
    expect(lines.some(isEvent)).toBe(false);
    expect(await verified(lines)).toEqual({
      status: 0,
      said: expect.stringContaining('3 events of Prefect, of which the records speak, are not in this file'),
    });
    expect((await audit(paths, 'verify')).out).toContain('3 events of Prefect were held against their digests');
  });

  it('of a part carries those of that part', async () => {
    const lines = await exported('--events', '--since', '2026-03-01T12:01:00Z');
    expect(lines.some(isEvent)).toBe(false);
    expect((await verified(lines)).status).toBe(0);
  });

  it.each<[string, (lines: string[]) => void, RegExp]>([
    ['one is edited', (lines) => lines.splice(121, 1, (lines[121] ?? '').replace('Completed', 'Failed')), /were edited/],
    ['what one is related to is edited', (lines) => lines.splice(120, 1, (lines[120] ?? '').replace('prefect.flow.1', 'prefect.flow.2')), /were edited/],
    ['two are swapped', (lines) => lines.splice(120, 2, lines[121] ?? '', lines[120] ?? ''), /were edited/],
    ['one is gone', (lines) => lines.splice(121, 1), /1 of the 2 events of Prefect, .* are gone/],
    ['all are gone', (lines) => lines.splice(0, lines.length, ...lines.filter((line) => !isEvent(line))), /2 of the 2 events of Prefect, .* are gone/],
    ['one is there twice', (lines) => lines.splice(121, 0, lines[121] ?? ''), /1 too many/],
    ['one stands at a record that speaks of none', (lines) => lines.splice(50, 0, lines[120] ?? ''), /before record 51 of n1 were added/],
    ['one stands at the end', (lines) => lines.push(lines[120] ?? ''), /at the end were added/],
    ['one has another field', (lines) => lines.splice(121, 1, (lines[121] ?? '').replace('"id"', '"more":1,"id"')), /line 122: neither a record/],
  ])('fails when %s', async (_name, tamper, words) => {
    const lines = await exported('--events');
    tamper(lines);
    expect(await verified(lines)).toEqual({ status: 1, said: expect.stringMatching(words) });
  });

  it('takes no events in a file that was exported without them', async () => {
    const [event = ''] = (await exported('--events')).filter(isEvent);
    const lines = await exported();
    lines.splice(120, 0, event);
    expect(await verified(lines)).toEqual({ status: 1, said: expect.stringContaining('exported without them') });
  });

  it('is for the format that proves them', async () => {
    expect(await audit(paths, 'export', '--events', '--format', 'ocsf')).toMatchObject({ status: 2, err: expect.stringContaining('ndjson') });
  });
});

describe('lictor rotate ledger-key', () => {
  it('changes the key; signatures from before and saved heads stay valid, and the change is a record', async () => {
    writeFileSync(join(paths.root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\n');
    await (await openStore({ at: paths.storeFile, clock: Date.now })).close();
    await audit(paths, 'head', '-o', at('old.json'));
    const before = readFileSync(paths.ledgerKey, 'utf8');
    const [out, err] = [new PassThrough(), new PassThrough()];
    const config = join(paths.root, 'lictor.yaml');
    expect(await main({ args: ['--state-dir', paths.root, '-c', config, 'rotate', 'ledger-key'], out, err, env: {}, cwd: paths.root })).toBe(0);
    expect(readFileSync(paths.ledgerKey, 'utf8')).not.toBe(before);
    writeRecords(paths, 10, { startMs: Date.now() });
    expect(await audit(paths, 'verify', '--head', at('old.json'))).toMatchObject({ status: 0 });
    await audit(paths, 'export', '-o', at('all.ndjson'));
    expect(await audit(elsewhere.paths, 'verify', at('all.ndjson'), '--key', at('old.json'))).toMatchObject({ status: 0 });
    expect((await audit(paths, '--action', 'ledger.rotate_key', '--json')).out).toContain('"decision":"allow"');
  });
});
