// `lictor up` on a state directory of another version, or from a backup.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway, type Token } from '../env/gateway.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let recorder: Recorder;
let gateway: Gateway;
beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder, config: { limits: [{ for: '*', rate: '10000/s', burst: 10_000 }] } });
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

it('a newer state is refused with what to do, by up and by every other command', async () => {
  const { secret } = await gateway.token('reader', ['viewer']);
  expect(await gateway.stop()).toEqual([]);
  expect(existsSync(join(gateway.stateDir, 'run'))).toBe(false);
  const version = join(gateway.stateDir, 'version');
  writeFileSync(version, '999\n');
  for (const command of [['up'], ['token', 'list']]) {
    const { code, output } = await gateway.lictor(...command);
    expect([code, output]).toEqual([1, expect.stringMatching(/version 999 .*run the newer Lictor/)]);
    expect(output).not.toContain('    at ');
  }
  rmSync(version);
  await gateway.up();
  expect([readFileSync(version, 'utf8'), existsSync(join(gateway.stateDir, 'backup'))]).toEqual(['1\n', false]);
  expect((await gateway.fetch('/api/flows/00000000-0000-0000-0000-000000000001', { token: secret })).status).toBe(200);
});

it('a backup under load is restored into an empty directory: it verifies, and what was revoked before or after stays revoked', async () => {
  const [live, revokedBefore, revokedAfter] = [
    await gateway.token('live', ['viewer']),
    await gateway.token('before', ['viewer']),
    await gateway.token('after', ['viewer']),
  ];
  const session = await gateway.login(await gateway.account('alice', 'viewer'));
  const ask = async (token: Token) => await gateway.fetch('/api/admin/version', { token: token.secret });
  await gateway.lictorOk('token', 'revoke', 'before');
  const place = (name: string) => join(gateway.stateDir, '..', `${basename(gateway.stateDir)}-${name}`);
  mkdirSync(place('away'));
  const load = underLoad(() => ask(live));
  const recipient = (await gateway.lictorOk('backup', '--new-identity', place('away/key.txt'))).trim();
  await gateway.lictorOk('backup', '-o', place('away/b.age'), '--recipient', recipient);
  expect(await load.stop()).toEqual(new Set([200]));
  await gateway.lictorOk('token', 'revoke', 'after');
  expect(await gateway.stop()).toEqual([]);
  // The machine is lost, and another one has the configuration alone.
  for (const name of readdirSync(gateway.stateDir).filter((each) => !['lictor.yaml', 'prefect-auth'].includes(each)))
    renameSync(join(gateway.stateDir, name), place(`away/${name}`));
  await gateway.lictorOk('restore', place('away/b.age'), '--identity', place('away/key.txt'));
  await gateway.up();
  const answers = await Promise.all([live, revokedBefore, revokedAfter].map(ask));
  expect(answers.map(({ status }) => status)).toEqual([503, 401, 503]);
  expect([answers[0]?.headers.get('retry-after'), answers[0]?.headers.get('prefect-maintenance')]).toEqual(['10', 'true']);
  expect(await answers[0]?.json()).toMatchObject({ code: 'credential-unconfirmed', hint: expect.stringContaining('lictor token confirm') });
  expect((await gateway.fetch('/api/admin/version', { session })).status).toBe(401);
  await gateway.lictorOk('token', 'confirm', 'live');
  await gateway.lictorOk('token', 'revoke', 'after');
  expect([(await ask(live)).status, (await ask(revokedAfter)).status]).toEqual([200, 401]);
  expect(await gateway.lictorOk('audit', 'verify')).toMatch(/no record was edited.*was restored from a backup at/s);
  const [restored] = jsonLines(await gateway.lictorOk('audit', '--action', 'gateway.restored', '--json'));
  expect(restored).toMatchObject({ tool: expect.stringMatching(/^epoch 1, backup of /) });
  rmSync(place('away'), { recursive: true });
});

/** Eight clients that ask again and again. `stop` answers the status codes that they got. */
function underLoad(ask: () => Promise<Response>) {
  const seen = new Set<number>();
  let goesOn = true;
  const client = async (): Promise<void> => {
    while (goesOn) seen.add((await ask()).status);
  };
  const clients = Array.from({ length: 8 }, client);
  return {
    async stop() {
      goesOn = false;
      await Promise.all(clients);
      return seen;
    },
  };
}
