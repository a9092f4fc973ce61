// Releases that share a store in Postgres, with programs of invented versions.
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/contract/clock.ts';
import type { PostgresAddress } from '../../../src/contract/store-address.ts';
import { sharedVerdict } from '../../../src/operations/upgrade/state.ts';
import type { StoreProgram } from '../../../src/store/postgres-versions.ts';
import { openStore } from '../../../src/store/store.ts';

export interface ReleaseParts {
  readonly at: (database: string) => PostgresAddress;
  readonly run: (database: string, statement: string) => Promise<unknown>;
  readonly tablesOf: (database: string) => Promise<readonly unknown[]>;
}

/** The databases `shared` and `releases` are empty. */
export function releaseTests({ at, run, tablesOf }: ReleaseParts): void {
  const first = { release: '0.1.0', version: 1, oldest: '0.1.0', from: { version: 1, release: '0.1.0' }, changes: [] };
  const adds = { version: 2, oldest: '0.1.0', statements: ['alter table nodes add column place text'] };
  const second = { ...first, release: '0.2.0', version: 2, oldest: '0.1.0', changes: [adds] };
  const removes = { version: 3, oldest: '0.2.0', statements: ['alter table nodes rename column place to site'] };
  const third = { ...first, release: '0.3.0', version: 3, oldest: '0.2.0', changes: [adds, removes] };
  const fifth = { ...third, release: '0.5.0', version: 4, from: { version: 3, release: '0.3.0' }, changes: [] };
  const open = (database: string, program: StoreProgram) => openStore({ at: at(database), clock: systemClock, program });
  const node = (program: StoreProgram) => ({ name: `n-${program.release}`, instance: 'a', version: program.release, configuration: 'c' });
  const verdict = (database: string, program: StoreProgram) => sharedVerdict(at(database), program);

  it('releases that are neighbours share a store, and the newer one only adds to it while the older one lives', async () => {
    const [older, newer] = [await open('shared', first), await open('shared', second)];
    const joined = await older.nodes.join(node(first));
    await newer.nodes.join(node(second));
    expect(await older.nodes.beat(node(first), joined)).toBe(true);
    expect(await newer.nodes.recent()).toMatchObject([node(first), node(second)]);
    await (await open('shared', first)).close();
    expect(await verdict('shared', first)).toMatchObject({ status: 'ok', message: expect.stringContaining('version 2') });
    await Promise.all([older.close(), newer.close()]);
  });

  it('releases that cannot share a store: the newer one changes nothing while an older one lives, and the older one stops using it afterwards', async () => {
    const older = await open('releases', first);
    const joined = await older.nodes.join(node(first));
    const before = await tablesOf('releases');
    const refused = { code: 'store-older-nodes', message: expect.stringMatching(/n-0\.1\.0 \(0\.1\.0\)\. Upgrade them to Lictor 0\.2\.0/) };
    await expect(open('releases', third)).rejects.toMatchObject(refused);
    expect(await verdict('releases', third)).toMatchObject({ status: 'fail', message: expect.stringContaining('n-0.1.0 (0.1.0)') });
    expect(await tablesOf('releases')).toEqual(before);
    expect(await older.nodes.beat(node(first), joined)).toBe(true);
    // It is silent for so long that it counts as gone.
    await run('releases', 'update nodes set seen_ms = 0');
    expect(await verdict('releases', third)).toMatchObject({ status: 'warn', message: expect.stringContaining('changes it to 3') });
    await (await open('releases', third)).close();
    const tooOld = { code: 'state-newer', message: expect.stringContaining('needs Lictor 0.2.0 or newer, and this is Lictor 0.1.0') };
    await expect(older.nodes.beat(node(first), joined)).rejects.toMatchObject(tooOld);
    await expect(older.nodes.join(node(first))).rejects.toMatchObject(tooOld);
    await expect(open('releases', first)).rejects.toMatchObject(tooOld);
    expect(await verdict('releases', first)).toMatchObject({ status: 'fail', message: tooOld.message });
    await (await open('releases', second)).close();
    await older.close();
  });

  it('releases that are too far apart are refused, with the release between', async () => {
    const apart = { code: 'store-versions-apart', message: expect.stringContaining('upgrade every node to Lictor 0.3.0 first') };
    await expect(open('shared', fifth)).rejects.toMatchObject(apart);
    expect(await verdict('shared', fifth)).toMatchObject({ status: 'fail', message: apart.message });
    await (await open('releases', { ...fifth, version: 3 })).close();
  });
}
