// For tests: a real supervisor in its own process, with a scripted control plane and, where asked for, a real nginx.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPid } from '../../../src/config/pid-file.ts';
import { type StatePaths, statePaths } from '../../../src/config/state-dir.ts';
import { freePort } from '../../../src/operations/supervise/processes/free-port.ts';
import { groupMembers, isAlive, signalGroup } from '../../../src/operations/supervise/processes/process-table.ts';
import { type RunningProcess, startProcess } from '../../../src/operations/supervise/processes/start-process.ts';
import { waitFor } from '../../../src/operations/supervise/processes/wait-for.ts';

export interface SuperviseRoom {
  readonly paths: StatePaths;
  /** What the control planes noted: `start PID TIME`, `drain PID TIME`. */
  notes(what: string): { readonly pid: number; readonly time: number }[];
  /** Resolves when it listens, or has ended. `openFiles`: the limit of the process. */
  supervise(behaviour?: object, openFiles?: number): Promise<RunningProcess>;
  /** Sends a line to the control plane as nginx does, over the supervisor while nobody answers; resolves with the answer. */
  ask(line: string): Promise<string>;
  /** How many times `ask` has connected to the supervisor. */
  holds(): number;
  /** Writes a minimal nginx.conf; the command that runs it. */
  nginx(): Promise<{ readonly binary: string; readonly args: readonly string[] }>;
  nginxPid(): number;
  log(): string;
  close(): Promise<void>;
}

export function openSuperviseRoom(): SuperviseRoom {
  const root = mkdtempSync(join(tmpdir(), 'supervise-'));
  // nginx's workers are another user when we are root.
  chmodSync(root, 0o711);
  const paths = statePaths(root, join(root, 'rt'));
  const notesFile = join(root, 'notes');
  const logFile = join(root, 'supervisor.log');
  const started: RunningProcess[] = [];
  const groups = new Set<number>();
  let holds = 0;
  const notes: SuperviseRoom['notes'] = (what) => readNotes(notesFile, what);
  const nginxPid = () => {
    const pid = readPid(paths.nginxPid) ?? Number.NaN;
    if (pid > 1) groups.add(pid);
    return pid;
  };
  return {
    paths,
    notes,
    nginxPid,
    supervise: async (behaviour = {}, openFiles = undefined) => {
      const before = identityOf(paths.holdSocket);
      const running = await startProcess({
        command: openFiles === undefined ? process.execPath : 'prlimit',
        args: [...(openFiles === undefined ? [] : [`--nofile=${openFiles}`, process.execPath]), join(import.meta.dirname, 'run.ts'), root],
        env: { ...process.env, FIXTURE: JSON.stringify(behaviour), FIXTURE_LOG: notesFile },
        logFile,
      });
      started.push(running);
      await waitFor(() => !running.running() || readPid(paths.supervisorPid) === running.pid, { what: 'the supervisor' });
      // A killed one leaves its socket behind.
      await waitFor(() => !running.running() || ![undefined, before].includes(identityOf(paths.holdSocket)), { what: 'the socket of held upgrades' });
      return running;
    },
    ask: (line) =>
      askAsNginx(paths, line, () => {
        holds += 1;
      }),
    holds: () => holds,
    nginx: () => writeNginxConf(paths),
    log: () => readFileSync(logFile, 'utf8'),
    close: async () => {
      nginxPid();
      for (const running of started) await running.stop();
      for (const pid of [...groups, ...notes('start').map((note) => note.pid)]) {
        if (groupMembers(pid).some((member) => /nginx|node|MainThread/.test(member.name))) signalGroup(pid, 'SIGKILL');
        await waitFor(() => !isAlive(pid), { what: `process ${pid} to end` });
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** An inode number alone is used again. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.ino} ${stats.birthtimeNs}`;
}

function readNotes(file: string, what: string): { pid: number; time: number }[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([word]) => word === what)
    .map(([, pid, time]) => ({ pid: Number(pid), time: Number(time) }));
}

/** The control plane; if it does not answer, the supervisor; and when that lets go, the control plane again (nginx/relay.conf). */
async function askAsNginx(paths: Pick<StatePaths, 'relaySocket' | 'holdSocket'>, line: string, onHold: () => void): Promise<string> {
  const until = performance.now() + 30_000;
  while (performance.now() < until) {
    const text = (await askOn(paths.relaySocket, line)) ?? (await askOn(paths.holdSocket, line, onHold));
    if (text !== undefined) return text;
  }
  throw new Error('nobody answered');
}

/** Undefined: the connection was refused, or ended without an answer. */
function askOn(path: string, line: string, onConnect?: () => void): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      onConnect?.();
      socket.write(line);
    });
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString());
    });
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}

async function writeNginxConf(paths: StatePaths): Promise<{ binary: string; args: string[] }> {
  const port = await freePort();
  const conf = join(paths.root, 'nginx.conf');
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${join(paths.root, `tmp-${kind}`)};`).join(' ');
  mkdirSync(paths.memberSockets, { recursive: true });
  writeFileSync(
    conf,
    `daemon off; pid ${paths.nginxPid}; error_log ${join(paths.root, 'nginx-error.log')}; worker_processes 2; events {}
http { access_log off; ${temp} server { listen 127.0.0.1:${port}; listen unix:${join(paths.memberSockets, 'one.sock')}; return 204; } }\n`,
  );
  return { binary: 'nginx', args: ['-c', conf] };
}
