import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupMembers, isAlive } from '../../src/operations/supervise/processes/process-table.ts';
import { startProcess } from '../../src/operations/supervise/processes/start-process.ts';
import { waitFor } from '../../src/operations/supervise/processes/wait-for.ts';
import { openSuperviseRoom, type SuperviseRoom } from './supervisor/room.ts';

let room: SuperviseRoom;
beforeEach(() => {
  room = openSuperviseRoom();
});
afterEach(() => room.close());

const started = (times: number) => waitFor(() => room.notes('start').length >= times, { what: `${times} starts of the control plane`, timeoutMs: 45_000 });
const controlPid = () => room.notes('start').at(-1)?.pid ?? 0;
const edgeUp = async () => {
  const pid = await waitFor(() => (isAlive(room.nginxPid()) ? room.nginxPid() : 0), { what: 'nginx' });
  await waitFor(() => groupMembers(pid).length === 3, { what: 'its workers' });
  return pid;
};

describe('upgrades', () => {
  it('are held while the control plane is away, and then asked again', async () => {
    const readyWith = join(room.paths.root, 'ready');
    await room.supervise({ readyWith });
    await started(1);
    const answered: string[] = [];
    const lines = ['one', 'two', 'three'];
    const asked = lines.map((line) => room.ask(line).then((text) => answered.push(text)));
    await waitFor(() => room.holds() === lines.length, { what: 'three held upgrades' });
    expect(answered).toEqual([]);
    writeFileSync(readyWith, '');
    await Promise.all(asked);
    expect(answered.sort()).toEqual(lines.map((line) => `${controlPid()} has ${line}`).sort());
    expect(room.holds()).toBe(lines.length);
  });

  it('wait for the next control plane when this one is killed', async () => {
    await room.supervise();
    const before = await room.ask('before');
    const killed = controlPid();
    expect(before).toBe(`${killed} has before`);
    process.kill(killed, 'SIGKILL');
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => room.ask(`held ${index}`)));
    await started(2);
    for (const text of answers) expect(text).toMatch(new RegExp(`^${controlPid()} has held`));
  });

  it('that a control plane did not take although it is ready are let go a moment later', async () => {
    await room.supervise();
    await room.ask('ready?');
    const held = connect(room.paths.holdSocket);
    const [ended] = await Promise.all([once(held, 'close'), once(held, 'connect')]);
    expect(ended).toEqual([false]);
  });
});

describe('open files', () => {
  it('are left for the start of a control plane, however many upgrades wait', async () => {
    await room.supervise({}, 128);
    await room.ask('ready?');
    const flood = Array.from({ length: 300 }, () => connect(room.paths.holdSocket).on('error', () => undefined));
    process.kill(controlPid(), 'SIGKILL');
    flood.push(...Array.from({ length: 300 }, () => connect(room.paths.holdSocket).on('error', () => undefined)));
    await started(2);
    expect(await room.ask('again?')).toBe(`${controlPid()} has again?`);
    expect(room.log()).not.toMatch(/EMFILE|too many open files/);
    for (const socket of flood) socket.destroy();
  });

  it('may all be used up: a control plane that hangs is killed all the same, and started when a file is free', { timeout: 60_000 }, async () => {
    const supervisor = await room.supervise();
    await room.ask('ready?');
    const limit = (files: string): void => void execFileSync('prlimit', [`--pid=${supervisor.pid}`, `--nofile=${files}:`]);
    const stopped = controlPid();
    limit('3');
    process.kill(stopped, 'SIGSTOP');
    await waitFor(() => !isAlive(stopped), { what: 'the control plane that hangs to be killed', timeoutMs: 45_000 });
    await waitFor(() => /starting it again in \d+ ms[\s\S]*EMFILE|EMFILE[\s\S]*starting it again/.test(room.log()), {
      what: 'a start that fails',
      timeoutMs: 20_000,
    });
    limit('256');
    await started(2);
    expect(await room.ask('again?')).toBe(`${controlPid()} has again?`);
  });
});

describe('the control plane', () => {
  it('is started again after a crash, each time after a longer wait', async () => {
    await room.supervise({ crashes: 3 });
    await started(4);
    const times = room.notes('start').map(({ time }) => time);
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(50);
    expect(waits[1]).toBeGreaterThanOrEqual(100);
    expect(waits[2]).toBeGreaterThanOrEqual(200);
    expect(await room.ask('still there?')).toContain('still there?');
    expect(room.log()).toContain('control plane ended (exit 3): starting it again in 50 ms');
  });

  it('reloads on SIGHUP', async () => {
    const supervisor = await room.supervise();
    await room.ask('ready?');
    process.kill(supervisor.pid, 'SIGHUP');
    await waitFor(() => room.notes('reload').length === 1, { what: 'the reload' });
    expect(supervisor.running()).toBe(true);
  });

  it('gets a SIGHUP from its start when it is ready; its answer is shown', async () => {
    const supervisor = await room.supervise({ readyAfterMs: 700 });
    await started(1);
    process.kill(supervisor.pid, 'SIGHUP');
    await waitFor(() => room.notes('reload').length === 1, { what: 'the reload' });
    await waitFor(() => room.log().includes('the configuration was read'), { what: 'the notice' });
  });

  it('reads the file at the first start, and what is in use when it is started again', async () => {
    await room.supervise();
    await room.ask('ready?');
    expect(room.notes('in-use')).toHaveLength(0);
    process.kill(controlPid(), 'SIGKILL');
    await waitFor(() => room.notes('in-use').length === 1, { what: 'a start with what is in use' });
  });

  it('ends everything with status 1 and its message when it cannot start', async () => {
    const supervisor = await room.supervise({ edge: await room.nginx(), fatal: 'lictor.yaml: public_url is missing' });
    expect((await supervisor.exited).code).toBe(1);
    expect(room.log()).toContain('lictor.yaml: public_url is missing');
    expect(isAlive(room.nginxPid())).toBe(false);
    expect(room.notes('start')).toHaveLength(1);
  });

  it('that was ready is tried again when it cannot start: nginx goes on meanwhile, and so do those who wait', async () => {
    const supervisor = await room.supervise({ edge: await room.nginx(), fatalAgain: 'tls.key: does not belong to tls.cert' });
    const edge = await edgeUp();
    await room.ask('ready?');
    process.kill(controlPid(), 'SIGKILL');
    await started(3);
    expect(await room.ask('again?')).toBe(`${controlPid()} has again?`);
    expect(room.log()).toContain('tls.key: does not belong to tls.cert');
    expect([supervisor.running(), room.nginxPid()]).toEqual([true, edge]);
  });

  it('that is stopped is replaced, and its successor hears of it once; meanwhile its socket is out of the way', { timeout: 60_000 }, async () => {
    await room.supervise();
    await room.ask('ready?');
    const stopped = controlPid();
    process.kill(stopped, 'SIGSTOP');
    await waitFor(() => !existsSync(room.paths.relaySocket), { what: 'the socket to be out of the way', timeoutMs: 30_000 });
    expect(await room.ask('held')).toBe(`${controlPid()} has held`);
    expect([isAlive(stopped), controlPid() === stopped]).toEqual([false, false]);
    expect(room.log()).toContain('the control plane hangs: killing it');
    await expect.poll(() => room.notes('hung')).toHaveLength(1);
    process.kill(controlPid(), 'SIGKILL');
    await started(3);
    await room.ask('again?');
    expect(room.notes('hung')).toHaveLength(1);
  });

  it('that was stopped for a moment goes on with its own socket', { timeout: 60_000 }, async () => {
    await room.supervise({ heartbeat: { silentLooks: 1, hungLooks: 600, startLooks: 600 } });
    await room.ask('ready?');
    const stopped = controlPid();
    process.kill(stopped, 'SIGSTOP');
    await waitFor(() => !existsSync(room.paths.relaySocket), { what: 'the socket to be out of the way', timeoutMs: 30_000 });
    process.kill(stopped, 'SIGCONT');
    expect(await room.ask('held')).toBe(`${stopped} has held`);
    expect([room.notes('start').length, room.notes('hung')]).toEqual([1, []]);
  });

  it('that is not ready in time is replaced, although it beats', { timeout: 60_000 }, async () => {
    await room.supervise({ heartbeat: { silentLooks: 2, hungLooks: 600, startLooks: 3 }, readyAfterMs: 600_000 });
    await started(2);
    expect(room.log()).toContain('the control plane hangs: killing it');
  });

  it('ends when its supervisor is killed', async () => {
    const supervisor = await room.supervise();
    await room.ask('ready?');
    process.kill(supervisor.pid, 'SIGKILL');
    await waitFor(() => !isAlive(controlPid()), { what: 'the control plane to end' });
  });
});

describe('nginx', () => {
  it('keeps running when the control plane is killed and asks for it again', async () => {
    await room.supervise({ edge: await room.nginx() });
    const pid = await edgeUp();
    process.kill(controlPid(), 'SIGKILL');
    await started(2);
    await room.ask('ready?');
    expect(room.nginxPid()).toBe(pid);
    expect(groupMembers(pid)).toHaveLength(3);
  });

  it('and a control plane that is ready: then it is said, once', async () => {
    await room.supervise({ edge: await room.nginx() });
    await waitFor(() => room.log().includes('all is up'), { what: 'the word' });
    expect(isAlive(room.nginxPid())).toBe(true);
    process.kill(controlPid(), 'SIGKILL');
    await started(2);
    await room.ask('ready?');
    expect(room.log().split('all is up')).toHaveLength(2);
  });

  it('without a control plane that is ready: nothing is said', async () => {
    await room.supervise({ edge: await room.nginx(), readyAfterMs: 600_000 });
    await edgeUp();
    expect(room.log()).not.toContain('all is up');
  });

  it('that is not there, behind a control plane that is ready: nothing is said', async () => {
    await room.supervise();
    await room.ask('ready?');
    expect(room.log()).not.toContain('all is up');
  });

  it('gets HUP for a swapped configuration: new workers, the same master', async () => {
    const supervisor = await room.supervise({ edge: await room.nginx() });
    const pid = await edgeUp();
    await room.ask('ready?');
    const before = new Set(groupMembers(pid).map((member) => member.pid));
    process.kill(supervisor.pid, 'SIGHUP');
    await waitFor(() => groupMembers(pid).filter((member) => !before.has(member.pid)).length === 2, { what: 'new workers' });
    expect(isAlive(pid)).toBe(true);
  });

  it('gets USR1 for a renamed log: the same workers, a new file', async () => {
    const supervisor = await room.supervise({ edge: await room.nginx(), reopen: true });
    const pid = await edgeUp();
    await room.ask('ready?');
    const before = groupMembers(pid).map((member) => member.pid);
    const log = join(room.paths.root, 'nginx-error.log');
    renameSync(log, `${log}.1`);
    process.kill(supervisor.pid, 'SIGHUP');
    await waitFor(() => existsSync(log), { what: 'a new log' });
    expect(groupMembers(pid).map((member) => member.pid)).toEqual(before);
  });

  it('is started again when it is killed, and nothing of the old one stays', async () => {
    await room.supervise({ edge: await room.nginx() });
    const killed = await edgeUp();
    process.kill(killed, 'SIGKILL');
    await waitFor(() => room.nginxPid() !== killed && isAlive(room.nginxPid()), { what: 'another nginx' });
    expect(groupMembers(killed)).toEqual([]);
    expect(await edgeUp()).not.toBe(killed);
  });

  it('of a killed supervisor is ended by the next one', async () => {
    const first = await room.supervise({ edge: await room.nginx() });
    const orphan = await edgeUp();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    expect(isAlive(orphan)).toBe(true);
    await room.supervise({ edge: await room.nginx() });
    await waitFor(() => groupMembers(orphan).length === 0, { what: 'the orphan to end' });
    expect(await edgeUp()).not.toBe(orphan);
  });

  it('leaves no workers behind when its master was killed as well', async () => {
    const first = await room.supervise({ edge: await room.nginx() });
    const orphan = await edgeUp();
    process.kill(first.pid, 'SIGKILL');
    process.kill(orphan, 'SIGKILL');
    await waitFor(() => groupMembers(orphan).length === 2, { what: 'two workers alone' });
    await room.supervise({ edge: await room.nginx() });
    await waitFor(() => groupMembers(orphan).length === 0, { what: 'the workers to end' });
    await edgeUp();
  });

  it('of another state directory is not touched, whatever the pid file says', async () => {
    const other = openSuperviseRoom();
    try {
      await other.supervise({ edge: await other.nginx() });
      const foreign = await waitFor(() => (isAlive(other.nginxPid()) ? other.nginxPid() : 0), { what: 'the other nginx' });
      mkdirSync(dirname(room.paths.nginxPid), { recursive: true });
      writeFileSync(room.paths.nginxPid, String(foreign));
      await room.supervise();
      expect(await room.ask('ready?')).toContain('ready?');
      expect(isAlive(foreign)).toBe(true);
    } finally {
      await other.close();
    }
  });
});

describe('the end', () => {
  it('leaves nothing behind after SIGTERM: no process, no runtime directory with remembered decisions', async () => {
    const supervisor = await room.supervise({ edge: await room.nginx() });
    const edge = await edgeUp();
    await room.ask('ready?');
    process.kill(supervisor.pid, 'SIGTERM');
    expect(await supervisor.exited).toEqual({ code: 0, signal: null });
    expect(room.notes('drain')).toHaveLength(1);
    expect(groupMembers(edge)).toEqual([]);
    expect(isAlive(controlPid())).toBe(false);
    expect([dirname(room.paths.supervisorPid), room.paths.run].filter(existsSync)).toEqual([]);
  });

  it('comes at once at the second signal', async () => {
    const supervisor = await room.supervise({ ignoreDrain: true });
    await room.ask('ready?');
    process.kill(supervisor.pid, 'SIGINT');
    await waitFor(() => room.notes('drain').length === 1, { what: 'the drain' });
    expect(supervisor.running()).toBe(true);
    process.kill(supervisor.pid, 'SIGINT');
    expect((await supervisor.exited).code).toBe(0);
    expect(isAlive(controlPid())).toBe(false);
  });

  it('does not wait for a control plane that is not ready yet', async () => {
    const supervisor = await room.supervise({ readyAfterMs: 600_000 });
    await started(1);
    const held = connect(room.paths.holdSocket);
    const ended = new Promise((resolve) => held.once('close', resolve));
    process.kill(supervisor.pid, 'SIGTERM');
    expect((await supervisor.exited).code).toBe(0);
    await ended;
    expect(isAlive(controlPid())).toBe(false);
  });
});

describe('a state directory', () => {
  it('has one supervisor: the second is refused with what to do', async () => {
    const first = await room.supervise();
    const second = await room.supervise();
    expect((await second.exited).code).toBe(1);
    expect(existsSync(room.paths.decisionCache)).toBe(true);
    expect(room.log()).toMatch(new RegExp(`lictor: another lictor \\(process ${first.pid}\\).*--state-dir`));
    expect(await room.ask('first?')).toContain('first?');
  });

  it('is taken over from a supervisor that was killed', async () => {
    const first = await room.supervise();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    await room.supervise();
    expect(await room.ask('second?')).toContain('second?');
  });

  it('is taken over when the number in its pid file is another process now', async () => {
    const first = await room.supervise();
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    const stranger = await startProcess({ command: 'sleep', args: ['300'], logFile: `${room.paths.root}/sleep.log` });
    writeFileSync(room.paths.supervisorPid, `${stranger.pid}\n`);
    await room.supervise();
    expect(await room.ask('second?')).toContain('second?');
    await stranger.stop();
  });
});
