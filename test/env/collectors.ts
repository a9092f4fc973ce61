// Where records and spans are sent: a receiver with OpenTelemetry's own definitions (PyPI), and Debian's rsyslog.
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { bringProgram } from '../runner/programs.ts';
import { start } from './process.ts';

const PROTO = '1.45.2';

export interface Collector {
  /** What arrived, in order. */
  received(): readonly Received[];
  stop(): Promise<void>;
}

export interface Received {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);

/** On a port of the caller's, who may have named it before anybody listens there. */
export async function startOtlpCollector(port: number): Promise<Collector> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `opentelemetry-proto-${PROTO}`);
  await ensureVenv({ directory, requirements: [`opentelemetry-proto==${PROTO}`], cacheDir, env: process.env, onProgress });
  const file = join(mkdtempSync(join(tmpdir(), 'lictor-otlp-')), 'received.ndjson');
  const running = await start({
    name: 'otlp collector',
    command: join(directory, 'bin', 'python'),
    args: [resolve(import.meta.dirname, 'otlp-collector.py'), String(port), file],
    env: { PATH: process.env['PATH'] },
    ready: () => listens(port),
  });
  return { received: () => lines(file).map((line) => JSON.parse(line) as Received), stop: () => running.stop() };
}

export interface Rsyslog {
  /** Severity, program, message id and message of each. */
  received(): readonly string[];
  stop(): Promise<void>;
}

/** What it received before a stop is in `directory`. */
export async function startRsyslog(port: number, directory: string): Promise<Rsyslog> {
  await bringProgram('rsyslog', process.env, onProgress);
  const [conf, file] = [join(directory, 'rsyslog.conf'), join(directory, 'received.log')];
  writeFileSync(
    conf,
    `global(maxMessageSize="64k" workDirectory="${directory}")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="${port}")
template(name="whole" type="string" string="%syslogfacility% %syslogseverity% %app-name% %msgid% %msg%\\n")
*.* action(type="omfile" file="${file}" template="whole")
`,
  );
  const running = await start({
    name: 'rsyslog',
    command: existsSync('/usr/sbin/rsyslogd') ? '/usr/sbin/rsyslogd' : 'rsyslogd',
    args: ['-n', '-f', conf, '-i', join(directory, 'rsyslog.pid')],
    env: { PATH: process.env['PATH'] },
    ready: () => listens(port),
  });
  return { received: () => lines(file).filter((line) => line.includes(' lictor ')), stop: () => running.stop() };
}

function lines(file: string): readonly string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

function listens(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      answer(true);
    });
    socket.once('error', () => answer(false));
  });
}
