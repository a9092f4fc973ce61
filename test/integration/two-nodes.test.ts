// Two nodes with one store on a real Postgres, in front of one real Prefect: what one changes, the other one does. three-nodes.test.ts has logins and revocations.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { type Postgres, startPostgres } from '../env/several/postgres.ts';
import { type RecordCollector, startRecordCollector } from '../env/several/record-collector.ts';

let postgres: Postgres;
let one: Gateway;
let two: Gateway;
let collector: RecordCollector;

beforeAll(async () => {
  collector = await startRecordCollector();
  postgres = await startPostgres();
  one = await startNode('one');
  two = await startNode('two', join(one.stateDir, 'keys', 'seal.key'));
});
afterAll(async () => {
  await two?.close();
  await one?.close();
  await postgres?.stop();
  collector?.close();
});

/** A node other than the first gets a copy of the sealing key. */
function startNode(node: string, sealKey?: string): Promise<Gateway> {
  const upstream = sharedPrefect();
  return startGateway({
    upstream,
    yaml({ url, stateDir }) {
      mkdirSync(join(stateDir, 'keys'), { mode: 0o700 });
      mkdirSync(join(stateDir, 'policies'));
      if (sealKey !== undefined) copyFileSync(sealKey, join(stateDir, 'keys', 'seal.key'));
      const file = join(stateDir, 'prefect-auth');
      return stringify({
        public_url: url,
        prefect: { url: upstream.url, ...(upstream.authString !== null && { auth_string_file: file }) },
        ...{ node, store: `postgres://${postgres.address}`, policies: join(stateDir, 'policies') },
        ledger: { export: [{ name: 'collector', type: 'ndjson', url: collector.urlFor(node), from: 'start' }] },
      });
    },
  });
}

const versionOf = async (gateway: Gateway, token: string): Promise<number> => (await gateway.fetch('/api/admin/version', { token })).status;
const changes = (gateway: Gateway, token: string) =>
  gateway.fetch('/api/flows/', { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: '{"name":"two-nodes"}' });

/** Requests per second of each principal, by nginx's configuration in use. */
const rateOf = (gateway: Gateway): number => Number(/rate=(\d+)r/.exec(readFileSync(join(gateway.stateDir, 'edge', 'current', 'limits.conf'), 'utf8'))?.[1]);

const nodesIn = async (gateway: Gateway) => new Set(jsonLines(await gateway.lictorOk('audit', '--json')).map(({ node }) => node));

describe('two nodes', () => {
  it('publish the same signing keys, also a new one', async () => {
    const keysOf = async (gateway: Gateway): Promise<string> => (await gateway.fetch('/.well-known/lictor-jwks.json')).text();
    expect(await keysOf(two)).toBe(await keysOf(one));
    const before = await keysOf(one);
    await two.lictorOk('rotate', 'keys');
    await waitFor(async () => (await keysOf(one)) !== before, { what: 'the new key at the other node' });
    expect(await keysOf(two)).toBe(await keysOf(one));
  });

  it('decide by the policies that either of them applies, and enforce their part of a limit', async () => {
    const { secret } = await one.token('deployer', ['deployer']);
    expect((await changes(two, secret)).status).toBeLessThan(300);
    const freeze = '@id("freeze") @description("no change") forbid (principal, action == Action::"flows.register", resource);\n';
    writeFileSync(join(one.stateDir, 'policies', 'own.cedar'), freeze);
    await one.lictorOk('policy', 'apply');
    expect((await changes(one, secret)).status).toBe(403);
    await waitFor(async () => (await changes(two, secret)).status === 403, { what: 'the policies at the other node' });
    // Its own files are empty, and a start does not bring them into force.
    await two.stop();
    await waitFor(() => Promise.resolve(rateOf(one) === 200), { what: 'the whole limit at the node that is left' });
    await two.up();
    await waitFor(() => Promise.resolve(rateOf(one) === 100), { what: 'half of the limit' });
    expect(rateOf(two)).toBe(100);
    expect((await changes(two, secret)).status).toBe(403);
  });

  it('have each the records of both, in ledgers that verify', async () => {
    for (const [gateway, other] of [
      [one, 'two'],
      [two, 'one'],
    ] as const) {
      await waitFor(async () => (await nodesIn(gateway)).has(other), { what: `the records of ${other} at the other node` });
      expect(await gateway.lictorOk('audit', 'verify')).toContain(other);
    }
    expect(await one.lictor('rotate', 'ledger-key')).toMatchObject({ code: 1, output: expect.stringContaining('share the key of the ledger') });
  });

  it('have one of them subscribed to the events of Prefect, and the other one is not late', async () => {
    const outputs = await Promise.all([one, two].map(async (gateway) => (await gateway.lictor('doctor')).output.split('\n')));
    // Each one's public_url is another one, and their policies are the same set.
    const aboutNodes = outputs.map((lines) => lines.filter((line) => / node(?:s:)? /.test(line) && !/ events: /.test(line)).join('\n'));
    for (const [at, other] of ['two', 'one'].entries()) {
      expect(aboutNodes[at]).toMatch(/nodes: 2 live: one \(.*; two \(/);
      expect(aboutNodes[at]).toMatch(new RegExp(`the node ${other} has another configuration`));
      expect(aboutNodes[at]).not.toMatch(/other policies|is away|newest signed head/);
    }
    const said = outputs.map((lines) => lines.filter((line) => / events: /.test(line)));
    const [own = '', other = ''] = said.flat().toSorted((left, right) => Number(left.includes('the node')) - Number(right.includes('the node')));
    expect(own).toMatch(/ok {4}events: \d+ s behind/);
    expect(other).toMatch(/ok {4}events: the node (?:one|two) fetches them/);
  });

  it('are refused with a remedy: without the sealing key, with another one, and with the name of a live node', async () => {
    await two.stop();
    const sealKey = join(two.stateDir, 'keys', 'seal.key');
    const right = readFileSync(sealKey, 'utf8');
    rmSync(sealKey);
    expect(await two.lictor('up')).toMatchObject({ code: 1, output: expect.stringContaining('copy it from another node') });
    writeFileSync(sealKey, Buffer.alloc(32, 1).toString('base64url'), { mode: 0o600 });
    expect(await two.lictor('up')).toMatchObject({ code: 1, output: expect.stringContaining('not the key of the other nodes') });
    writeFileSync(sealKey, right, { mode: 0o600 });
    const yaml = readFileSync(two.configFile, 'utf8');
    writeFileSync(two.configFile, yaml.replace('node: two', 'node: one'));
    expect(await two.lictor('up')).toMatchObject({ code: 1, output: expect.stringContaining('Another node named one runs') });
    writeFileSync(two.configFile, yaml);
    // As if its disk was lost: it takes its records back from the store.
    const last = jsonLines(await two.lictorOk('audit', '--json')).findLast(({ node }) => node === 'two');
    for (const end of ['', '-wal', '-shm']) rmSync(join(two.stateDir, `ledger.db${end}`), { force: true });
    await two.up();
    const records = jsonLines(await two.lictorOk('audit', '--json')).filter(({ node }) => node === 'two');
    expect(records).toContainEqual(last);
    expect(records.map(({ seq }) => Number(seq)).toSorted((a, b) => a - b)).toEqual(records.map((_, index) => index + 1));
    await two.lictorOk('audit', 'verify');
    expect(await versionOf(one, 'lct_unknown')).toBe(401);
  });

  it('send each its own records, and the rest of a node that is gone, once; that node goes on when it is back', async () => {
    const seqsOf = async (asked: Gateway) =>
      jsonLines(await asked.lictorOk('audit', '--json'))
        .filter(({ node }) => node === 'two')
        .map(({ seq }) => `two ${String(seq)}`);
    const taken = () => collector.taken.flatMap(({ records }) => records);
    const last = async (asked: Gateway) => (await seqsOf(asked)).at(-1) ?? '';
    await waitFor(async () => taken().includes(await last(two)), { what: 'the records of two at the collector' });
    const sentBefore = collector.taken.length;
    collector.accept(false);
    for (let count = 0; count < 5; count += 1) expect(await versionOf(two, 'lct_unknown')).toBe(401);
    const unsent = await last(two);
    await waitFor(async () => (await seqsOf(one)).includes(unsent), { what: 'the records of two at the other node' });
    // A refused batch is sent again as it was, so it need not have the last record.
    await waitFor(() => collector.refused.some(({ by }) => by === 'two'), { what: 'two to try' });
    expect(
      [...collector.taken.slice(sentBefore), ...collector.refused].filter(({ by, records }) => records.some((record) => !record.startsWith(`${by} `))),
    ).toEqual([]);
    await two.killAll();
    collector.accept(true);
    await waitFor(() => taken().includes(unsent), { what: 'the rest of two at the collector', timeoutMs: 60_000, everyMs: 500 });
    expect(collector.taken.find(({ records }) => records.includes(unsent))?.by).toBe('one');
    await two.up();
    expect(await versionOf(two, 'lct_unknown')).toBe(401);
    await waitFor(async () => taken().includes(await last(two)), { what: 'two to go on' });
    expect(collector.taken.find(({ records }) => records.includes(unsent))?.by).toBe('one');
    expect(taken().filter((record, index) => taken().indexOf(record) !== index)).toEqual([]);
    expect((await seqsOf(two)).filter((record) => !taken().includes(record))).toEqual([]);
  });

  it('are restored from the backup of either: the store, and the ledger of each', async () => {
    const { secret } = await one.token('restored', ['viewer']);
    await waitFor(async () => (await nodesIn(two)).has('one'), { what: 'the records of one at the other node' });
    const lastOf = async (gateway: Gateway) =>
      Math.max(...jsonLines(await gateway.lictorOk('audit', '--json')).flatMap(({ node, seq }) => (node === 'two' ? [Number(seq)] : [])));
    const before = await lastOf(one);
    const [key, file] = [`${one.stateDir}-key.txt`, `${one.stateDir}.age`];
    const recipient = (await one.lictorOk('backup', '--new-identity', key)).trim();
    await one.lictorOk('backup', '-o', file, '--recipient', recipient);
    await one.lictorOk('token', 'revoke', 'restored');
    const restore = ['restore', file, '--identity', key, '--replace'];
    expect(await one.lictor(...restore)).toMatchObject({ code: 1, output: expect.stringContaining('a gateway uses') });
    await one.stop();
    // As if its disk was lost. The other node lives, and uses the store.
    loseState(one);
    expect(await one.lictor(...restore)).toMatchObject({ code: 1, output: expect.stringContaining('these nodes use the store') });
    await two.stop();
    loseState(two);
    expect(await one.lictorOk(...restore)).toMatch(/epoch is 1/);
    mkdirSync(join(two.stateDir, 'keys'), { mode: 0o700 });
    copyFileSync(join(one.stateDir, 'keys', 'seal.key'), join(two.stateDir, 'keys', 'seal.key'));
    await two.up();
    await one.up();
    expect([await versionOf(one, secret), await versionOf(two, secret)]).toEqual([503, 503]);
    await two.lictorOk('token', 'confirm', 'restored');
    await waitFor(async () => (await versionOf(one, secret)) === 200, { what: 'the confirmation at the other node' });
    for (const gateway of [one, two]) {
      await waitFor(async () => (await lastOf(gateway)) > before, { what: 'the next records of two' });
      expect(await gateway.lictorOk('audit', 'verify')).toContain('no record was edited');
    }
    for (const each of [key, file]) rmSync(each);
  });
});

/** The configuration stays, and what it names. */
function loseState({ stateDir }: Gateway): void {
  const lost = readdirSync(stateDir).filter((name) => !['lictor.yaml', 'prefect-auth', 'policies'].includes(name));
  for (const name of lost) rmSync(join(stateDir, name), { recursive: true });
}
