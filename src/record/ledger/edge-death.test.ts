import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/env/free-port.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { systemClock } from '../../contract/clock.ts';
import { parseEdgeDeath } from './events.ts';
import { startLedger } from './ledger.ts';
import { tempState } from './lines.fixture.ts';
import { openLedgerReader } from './query.ts';

const NGINX = ['nginx', '/usr/sbin/nginx'].find((binary) => spawnSync(binary, ['-v']).status === 0);

describe('the death of an edge worker', () => {
  it.each([
    ['2026/03/01 12:00:00 [alert] 10#10: worker process 11 exited on signal 9', { pid: 11, signal: '9', isMaster: false }],
    ['2026/03/01 12:00:00 [alert] 10#10: worker process 11 exited on signal 11 (core dumped)', { pid: 11, signal: '11' }],
    ['2026/03/01 12:00:00 [alert] 10#0: master process 11 exited on signal 9', { pid: 11, signal: '9', isMaster: true }],
  ])('is read from %j', (line, death) => expect(parseEdgeDeath(line)).toMatchObject(death));

  it.each([
    '2026/03/01 12:00:00 [notice] 10#10: worker process 11 exited with code 0',
    '2026/03/01 12:00:00 [error] 11#11: *1 "worker process 12 exited on signal 9" failed',
    '',
  ])('is not read from %j', (line) => expect(parseEdgeDeath(line)).toBeUndefined());

  describe.skipIf(NGINX === undefined)('of a real nginx', () => {
    let paths: StatePaths;
    let remove: () => void;
    let nginx: ChildProcess | undefined;
    beforeEach(() => {
      ({ paths, remove } = tempState());
    });
    afterEach(async () => {
      if (nginx?.exitCode === null) {
        const ended = once(nginx, 'exit');
        nginx.kill('SIGTERM');
        await ended;
      }
      remove();
    });

    it('is one record with the window in which requests may be missing', { timeout: 30_000 }, async () => {
      const url = await startNginx();
      const ledger = await startLedger({ paths, node: 'n1', clock: systemClock });
      const stop = new AbortController();
      const reader = openLedgerReader(paths.ledgerFile);
      const records = reader.audit({ follow: { signal: stop.signal } })[Symbol.asyncIterator]();
      const pid = Number(await (await fetch(url)).text());
      for (let record = await records.next(); record.value.request_id === null; ) record = await records.next();
      process.kill(pid, 'SIGKILL');
      let death = await records.next();
      while (death.value.action !== 'edge.worker_died') death = await records.next();
      expect(death.value).toMatchObject({ reason: 'edge-worker-died', resource_id: String(pid), tool: 'signal 9', duration_ms: expect.any(Number) });
      stop.abort();
      await records.next();
      reader.close();
      await ledger.close();
    });

    async function startNginx(): Promise<string> {
      const port = await freePort();
      const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${join(paths.root, name)};`).join(' ');
      const format = '{"msec":"$msec","request_id":"$request_id","method":"$request_method","path":"$uri","status":$status,"pid":$pid}';
      const conf = `daemon off; worker_processes 1; pid ${join(paths.root, 'nginx.pid')}; error_log ${paths.edgeErrorLog} notice; events {}
        http { ${temp} log_format line escape=json '${format}'; access_log ${paths.accessLog} line;
        server { listen 127.0.0.1:${port}; default_type text/plain; location / { return 200 $pid; } } }`;
      const file = join(paths.root, 'nginx.conf');
      writeFileSync(file, conf);
      nginx = spawn(NGINX ?? '', ['-c', file, '-e', paths.edgeErrorLog], { stdio: 'ignore' });
      const url = `http://127.0.0.1:${port}/`;
      await expect.poll(() => answers(url), { timeout: 10_000 }).toBe(true);
      return url;
    }
  });
});

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (answer) => answer.ok,
    () => false,
  );
}
