import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitFor } from '../operations/supervise/processes/wait-for.ts';
import { commandLine, edgePid, readPid, readRunningPid } from './pid-file.ts';

let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pid-file-'));
  file = join(root, 'nginx.pid');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a pid file', () => {
  it('holds one number, with or without the end of the line', () => {
    for (const text of ['4711\n', '4711']) {
      writeFileSync(file, text);
      expect(readPid(file)).toBe(4711);
    }
  });

  it.each(['', '\n', '0\n', '-1\n', '007\n', '1e3\n', '12 34\n', '12\n34\n', 'nginx\n', '0x1f\n', ' 12\n'])('with %j names no process', (text) => {
    writeFileSync(file, text);
    expect(readPid(file)).toBeUndefined();
  });

  it('that is not there names no process', () => {
    expect(readPid(file)).toBeUndefined();
    expect(readRunningPid(file, () => true)).toBe(undefined);
  });

  it('names a process that lives and is the one that is asked for', () => {
    writeFileSync(file, `${process.pid}\n`);
    expect(readRunningPid(file, (command) => command === commandLine(process.pid))).toBe(process.pid);
    expect(readRunningPid(file, (command) => command.startsWith('nginx'))).toBeUndefined();
    expect(edgePid({ nginxPid: file, root })).toBeUndefined();
  });

  it('names nothing once the process has ended', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    writeFileSync(file, `${child.pid}\n`);
    expect(readRunningPid(file, (command) => command.includes('true'))).toBeUndefined();
  });
});

describe('the nginx of a state directory', () => {
  const master = async (title: string) => {
    const child = spawn('bash', ['-c', 'exec -a "$0" sleep 300', title], { stdio: 'ignore' });
    await waitFor(() => commandLine(child.pid ?? 0).startsWith(title), { what: 'the process to have its name' });
    writeFileSync(file, `${child.pid}\n`);
    return child;
  };

  it('is a master that was started with a file of it', async () => {
    const child = await master(`nginx: master process nginx -p ${root}/edge/ -c ${root}/edge/current/nginx.conf`);
    try {
      expect(edgePid({ nginxPid: file, root })).toBe(child.pid);
      expect(edgePid({ nginxPid: file, root: `${root}-other` })).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('is not a worker, nor anything else that names the directory', async () => {
    const child = await master(`nginx: worker process ${root}/`);
    try {
      expect(edgePid({ nginxPid: file, root })).toBeUndefined();
    } finally {
      child.kill('SIGKILL');
    }
  });
});
