// Real faults, planted one by one on a healthy gateway: `lictor doctor` names exactly those, and none where all is well.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runLictor, startGateway } from '../../env/gateway.ts';
import { sharedPrefect } from '../../env/prefect.ts';
import { startRecorder } from '../../env/upstream-recorder.ts';
import { between, expectExactly, type Fault, placesOf, prefectAt, type Room, secretFile } from './fault.ts';
import { BETWEEN } from './faults/between.ts';
import { EDGE, EDGE_AS_ROOT } from './faults/edge.ts';
import { MACHINE, MACHINE_AS_ROOT } from './faults/machine.ts';
import { PREFECT } from './faults/prefect.ts';
import { diagnose, diagnosisOf, type Line, linesOf, lookFor, NGINX } from './room.ts';

const asRoot = process.geteuid?.() === 0;
const FAULTS: readonly Fault[] = [...BETWEEN, ...PREFECT, ...MACHINE, ...EDGE, ...(asRoot ? [...MACHINE_AS_ROOT, ...EDGE_AS_ROOT] : [])];

let room: Room;
beforeAll(async () => {
  const { url, authString } = sharedPrefect();
  const gateway = await startGateway({ upstream: { url, authString }, openStateDir: true });
  room = { gateway, recorder: await startRecorder(), spare: mkdtempSync(join(tmpdir(), 'lictor-test-doctor-')) };
});
afterAll(async () => {
  await room?.gateway.close();
  await room?.recorder.close();
  if (room !== undefined) rmSync(room.spare, { recursive: true, force: true });
});

describe('a healthy system', () => {
  it('has no FAIL and no hint, exits 0, and leaves no live token', async () => {
    const { gateway } = room;
    const where = { ...gateway, env: { PATH: process.env['PATH'], ...NGINX } };
    const { exit, ok, lines } = await lookFor([], async () => diagnosisOf(await runLictor(['doctor', '--deep', '--json'], where)));
    // Workers of other tests, which came through other gateways, may still count as online, and their servers run here; a busy Prefect makes its document late.
    const byOthers = ({ check, message }: Line): boolean =>
      ['direct-workers', 'other-servers'].includes(check) || (check === 'routes' && message.includes('no answer within'));
    expect(lines.filter((line) => line.status !== 'ok' && !byOthers(line))).toEqual([]);
    expect({ exit, ok }).toEqual({ exit: 0, ok: true });
    expect(new Set(lines.map(({ group }) => group))).toEqual(new Set(['machine', 'edge', 'public-url', 'upstream', 'sockets']));
    expect(lines.filter(({ group }) => group === 'sockets')).toHaveLength(5);
    const tokens: unknown = JSON.parse(await gateway.lictorOk('token', 'list', '--json'));
    expect(tokens).toContainEqual(expect.objectContaining({ name: expect.stringMatching(/^doctor-/), roles: ['viewer', 'worker'] }));
    expect(await gateway.lictorOk('token', 'list')).not.toContain(' live ');
    expect(await gateway.lictorOk('audit', '--action', 'token.*')).toMatch(/token\.create[\s\S]*token\.revoke/);
  });

  it('is healthy behind a proxy that passes everything', async () => {
    const { undo, ...planted } = await between(room, {});
    const found = await lookFor([], () => diagnose(room.gateway, planted));
    await undo?.();
    expect(found.failures).toEqual([]);
  });
});

describe('a fault is named, and nothing else:', () => {
  it.each(FAULTS)('$name', (fault) => expectExactly(room, fault));

  it('there are at least thirty, each with a separate name', () => {
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
    expect(FAULTS.length).toBeGreaterThanOrEqual(30);
  });

  it('and when all is as it was, doctor finds nothing', async () => {
    expect(await lookFor([], () => diagnose(room.gateway))).toMatchObject({ ok: true, exit: 0, failures: [] });
  });
});

describe('a hint is no FAIL:', () => {
  it('a UI that is sent elsewhere, and a newer Prefect', async () => {
    const { recorder, gateway } = room;
    const document = { paths: { '/secrets/{id}': { get: { operationId: 'read_secret', parameters: [] } } } };
    recorder.answerWith(({ target, headers }) => {
      if (headers['authorization'] === undefined) return { status: 401, body: '{}' };
      if (target === '/ui-settings') return { status: 200, body: '{"api_url": "http://elsewhere:4200/api"}' };
      return target === '/api/openapi.json' ? { status: 200, body: JSON.stringify(document) } : { status: 200, body: '"3.99.0"' };
    });
    const planted = prefectAt(recorder.url, { auth_string_file: secretFile(room, 'hints', 'gateway:right-password\n') });
    const found = await lookFor([], () => diagnose(gateway, planted));
    recorder.answerWith(undefined);
    expect(found).toMatchObject({ ok: true, exit: 0 });
    expect(linesOf(found, 'upstream', 'ui-settings')).toMatchObject([{ status: 'warn', message: expect.stringContaining('http://elsewhere:4200/api') }]);
    expect(linesOf(found, 'upstream', 'routes')).toMatchObject([{ status: 'warn', message: expect.stringContaining('read_secret') }]);
  });

  it.skipIf(!asRoot)('a decision cache on a disk', async () => {
    const { decisionCache } = placesOf(room);
    const elsewhere = mkdtempSync(join(room.spare, 'cache-'));
    const mounts = `chown --reference ${decisionCache}/ ${elsewhere}; chmod 700 ${elsewhere}; mount --bind ${elsewhere} ${decisionCache}/`;
    const found = await lookFor([], () => diagnose(room.gateway, { mounts }));
    expect(found).toMatchObject({ ok: true, exit: 0 });
    expect(linesOf(found, 'edge', 'decision-cache')).toMatchObject([{ status: 'ok' }, { status: 'warn', message: expect.stringContaining('not on tmpfs') }]);
  });

  it.skipIf(!asRoot)("a state directory that nginx's workers could not enter from the start", async () => {
    const { gateway } = room;
    await gateway.stop();
    chmodSync(gateway.stateDir, 0o700);
    await gateway.up();
    const found = await lookFor([], () => diagnose(gateway));
    expect(found).toMatchObject({ ok: true, exit: 0 });
    expect(linesOf(found, 'machine', 'state-dir-parents')).toMatchObject([{ status: 'warn', message: expect.stringContaining('in memory instead') }]);
  });
});
