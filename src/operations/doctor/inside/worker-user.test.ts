import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { checkWorkerUser, nameOf, programsOf } from './worker-user.ts';

const WORKER = { name: 'lictor-edge', uid: 54_321, gid: 54_321 };
const none = () => '';

describe("programs of nginx's worker user", () => {
  it('may be nginx alone', () => {
    expect(checkWorkerUser(WORKER, () => [{ pid: 7, name: 'nginx' }])).toMatchObject([{ status: 'ok' }]);
    expect(checkWorkerUser(WORKER, () => [])).toMatchObject([{ status: 'ok' }]);
  });

  it('are named where they are others, with what to do', () => {
    const [verdict] = checkWorkerUser(WORKER, () => [{ pid: 7, name: 'nginx' }, ...[1, 2, 3, 4, 5, 6].map((pid) => ({ pid, name: 'php-fpm8.2' }))]);
    expect(verdict).toMatchObject({ status: 'fail', remedy: expect.stringContaining('useradd --system') });
    expect(verdict?.message).toMatch(/user lictor-edge: php-fpm8.2 \(1\), .*\(5\) and 1 more\./);
    expect(verdict?.message).not.toContain('nginx (7)');
  });

  it('are not looked at where nginx runs as the user of the gateway', () => {
    expect(checkWorkerUser(null, () => [{ pid: 7, name: 'python3' }])).toEqual([]);
  });

  it('are those that run, by their user', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore', ...(process.getuid?.() === 0 && { uid: WORKER.uid, gid: WORKER.gid }) });
    await once(child, 'spawn');
    try {
      const uid = process.getuid?.() === 0 ? WORKER.uid : (process.getuid?.() ?? 0);
      expect(programsOf(uid)).toContainEqual({ pid: child.pid, name: expect.stringMatching(/^(?:sleep|coreutils|busybox)$/) });
      expect(programsOf(uid + 1)).not.toContainEqual(expect.objectContaining({ pid: child.pid }));
    } finally {
      child.kill();
    }
  });
});

describe('what a program is called', () => {
  it('says its file, a removed one too', () => {
    expect(nameOf('/usr/sbin/nginx', none)).toBe('nginx');
    expect(nameOf('/usr/sbin/nginx (deleted)', none)).toBe('nginx');
    expect(nameOf('/opt/nginx-evil', none)).toBe('nginx-evil');
  });

  it('says the program that a loader runs, and never what that calls itself', () => {
    const maps = (program: string) => () =>
      [
        '7f00-7f01 r--p 00000000 08:01 11 /lib/x86_64-linux-gnu/libc.so.6',
        '7f01-7f02 r-xp 00000000 08:01 11 /lib/x86_64-linux-gnu/libc.so.6',
        `7f02-7f03 r--p 00000000 08:01 12 ${program}`,
        `7f03-7f04 r-xp 00001000 08:01 12                         ${program}`,
        '7f05-7f06 r-xp 00000000 08:01 13 /cache/nginx-debian11/lib64/ld-linux-x86-64.so.2',
      ].join('\n');
    const loader = '/cache/nginx-debian11/lib64/ld-linux-x86-64.so.2';
    expect(nameOf(loader, maps('/cache/nginx-debian11/usr/sbin/nginx'))).toBe('nginx');
    expect(nameOf(loader, maps('/tmp/evil'))).toBe('evil');
    expect(nameOf(loader, none)).toBe('ld-linux-x86-64.so.2');
  });
});
