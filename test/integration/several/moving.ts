// A Prefect that was there before: the gateway is put beside it by the docs alone, workers move by two variables, the way round is closed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { docsBlock } from '../../env/docs.ts';
import { type Gateway, jsonLines, runLictor } from '../../env/gateway.ts';
import { workersAfter } from '../../env/gateway-processes.ts';
import { signalProcess, waitFor } from '../../env/process.ts';
import { diagnose, linesOf, lookFor } from '../doctor/room.ts';
import { type Room, runThrough, straight, upByTheDocs } from './room.ts';

/** `opened` gets the gateway, which stays for the tests that follow. */
export function movingTests(room: () => Room, opened: (gateway: Gateway) => void): void {
  let gateway: Gateway;

  it('lictor.yaml of the docs has at most ten lines; check, up and doctor are ok while the workers still go directly', async () => {
    expect(docsBlock('how-to/existing-server.md', 'public_url:').trim().split('\n').length).toBeLessThanOrEqual(10);
    const { servers, workers } = room();
    gateway = await upByTheDocs(room());
    opened(gateway);
    const checked = await runLictor(['check'], gateway);
    expect(checked.code, checked.output).toBe(0);
    // Two servers, two workers, Postgres and Redis have just been started on this machine.
    const found = await lookFor([], () => diagnose(gateway));
    expect(found.failures).toEqual([]);
    expect(found).toMatchObject({ ok: true, exit: 0 });
    for (const url of servers.urls) {
      expect(linesOf(found, 'upstream', 'credential').map(({ message }) => message)).toContain(`Prefect 3.9.1 at ${url} answers, and accepts the credential`);
    }
    const [past] = linesOf(found, 'upstream', 'direct-workers');
    expect(past).toMatchObject({ status: 'warn', message: expect.stringContaining('2 of 2 workers bypass the gateway') });
    for (const { name, pool } of workers) expect(past?.message).toContain(`"${name}" of pool "${pool}"`);
    expect(workers.map((worker) => worker.running())).toEqual([true, true]);
  });

  it('workers move by changing two variables, and a flow runs on each', async () => {
    const { workers, servers, deployments, direct } = room();
    const lines = docsBlock('how-to/existing-server.md', 'PREFECT_API_URL=').trim().split('\n');
    expect(lines.map((line) => line.split('=')[0])).toEqual(Object.keys(straight(servers, 0)));
    const { secret } = await gateway.token('etl-worker', ['worker']);
    const starter = (await gateway.token('starter', ['operator'])).secret;
    await Promise.all(workers.map((worker) => worker.start({ PREFECT_API_URL: `${gateway.url}/api`, PREFECT_API_AUTH_STRING: `any:${secret}` })));
    const runs = await Promise.all(workers.map(({ name }) => runThrough(gateway, starter, deployments[name]?.mapped ?? '')));
    for (const run of runs) expect(await direct().awaitRunState(run, ['COMPLETED', 'FAILED', 'CRASHED'], 120_000)).toBe('COMPLETED');
    for (const [index, run] of runs.entries()) {
      await waitFor(async () => (await direct(1).taskRunStates(run))['COMPLETED'] === 3, { what: `the tasks of ${run}`, timeoutMs: 60_000 });
      const records = jsonLines(await gateway.lictorOk('audit', '--flow-run', run, '--json'));
      const [principals, started] = [records.map(({ principal }) => principal), records.find(({ action }) => action === 'deployments.run')];
      expect(new Set(principals), workers[index]?.name).toEqual(new Set(['token:starter', 'token:etl-worker', `run:${run}`]));
      expect(started).toMatchObject({ principal: 'token:starter', decision: 'allow' });
    }
  }, 240_000);

  it('a new auth string closes the way round, while the gateway serves on', async () => {
    const { servers, workers, direct } = room();
    const old = servers.address(0);
    const knock = (url: string): Promise<number> =>
      fetch(`${url}/api/admin/version`, { headers: { authorization: `Basic ${Buffer.from(old.authString).toString('base64')}` } }).then(({ status }) => status);
    expect(await Promise.all(servers.urls.map(knock))).toEqual([200, 200]);
    const { secret } = await gateway.token('reader', ['viewer']);
    const steps = { now: 'before', seen: [] as string[], done: false };
    const reading = (async () => {
      while (!steps.done) {
        const answer = await gateway.fetch('/api/admin/version', { token: secret }).catch(() => undefined);
        const { status, headers } = answer ?? { status: 'closed', headers: new Headers() };
        if (status !== 200) steps.seen.push(`${steps.now}: ${status}${headers.get('prefect-maintenance') === null ? '' : ', nobody was there'}`);
        await wait(20);
      }
    })();
    try {
      const fresh = `gateway:${'n3w'.repeat(10)}`;
      steps.now = 'restart of the first';
      await servers.restart(0, fresh);
      steps.now = 'reload';
      writeFileSync(join(gateway.stateDir, 'prefect-auth'), `${fresh}\n`, { mode: 0o600 });
      const reloads = async (): Promise<number> => jsonLines(await gateway.lictorOk('audit', '--action', 'config.reload', '--json')).length;
      const before = await reloads();
      const { supervisor, workers: former } = gateway.pids();
      signalProcess(supervisor, 'SIGHUP');
      await waitFor(async () => (await reloads()) > before, { what: 'the reload', timeoutMs: 60_000, everyMs: 500 });
      await workersAfter(former, gateway.pids);
      steps.now = 'restart of the second';
      await servers.restart(1, fresh);
    } finally {
      steps.done = true;
      await reading;
    }
    // "Nobody was there" promises that nothing was done: stock clients wait, as the docs say. Beside that, what a stopping server had in hand is all that may fail.
    const lost = steps.seen.filter((line) => !line.endsWith(': 503, nobody was there'));
    // A worker of nginx that ends at a reload closes the connections that it keeps: a request may cross that, and stock clients send it again.
    expect(lost.filter((line) => !/^(?:restart of the (?:first|second): 503|reload: closed)$/.test(line))).toEqual([]);
    expect(lost.length).toBeLessThanOrEqual(4);
    expect(await Promise.all(servers.urls.map(knock))).toEqual([401, 401]);
    // What the machine itself is warned of (a state directory below a closed one) is not of this test's making.
    const troubled = ({ status, group }: { readonly status: string; readonly group: string }) => status !== 'ok' && group !== 'machine';
    // The gateway's stream of events is open again some seconds after its server.
    const found = await waitFor(
      async () => {
        const seen = await diagnose(gateway);
        return seen.lines.some(troubled) ? undefined : seen;
      },
      { what: 'doctor to find everything well', timeoutMs: 60_000 },
    ).catch(() => diagnose(gateway));
    if (found === undefined) throw new Error('doctor said nothing');
    expect(found.lines.filter(troubled)).toEqual([]);
    expect(found).toMatchObject({ ok: true, exit: 0 });
    expect(workers.map((worker) => worker.running())).toEqual([true, true]);
    expect(await direct().get('/admin/version')).toBe('3.9.1');
  }, 400_000);
}
