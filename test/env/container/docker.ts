// A real Docker with a storage and mounts apart from the machine, and a network on request: nothing of it is left when it ends. Root only.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bringProgram } from '../../runner/programs.ts';
import { type Finished, run, start } from '../process.ts';
import { composeProgram } from './compose.ts';

export interface Docker {
  /** What a process needs to run its `docker`. */
  readonly env: { readonly PATH: string; readonly HOME: string; readonly DOCKER_HOST: string };
  /** Runs shell commands in its network, with `docker` and `docker compose`. Its localhost is the machine that Docker publishes ports on. */
  shell(script: string, options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv }): Promise<Finished>;
  stop(): Promise<void>;
}

/** `hosts`: names that its machine knows as localhost. Undefined: no separate network, so that containers need `--network host`. */
export async function startDocker(hosts?: readonly string[]): Promise<Docker> {
  await bringProgram('docker', process.env, (line) => void process.stderr.write(`${line}\n`));
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-docker-'));
  const at = (name: string) => join(home, name);
  const socket = `unix://${at('socket')}`;
  writeFileSync(at('hosts'), `127.0.0.1 localhost ${hosts?.join(' ')}\n`);
  mkdirSync(at('.docker/cli-plugins'), { recursive: true });
  symlinkSync(await composeProgram(), at('.docker/cli-plugins/docker-compose'));
  const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: home, DOCKER_HOST: socket };
  const daemon = `dockerd --host ${socket} --data-root ${at('data')} --exec-root ${at('exec')} --pidfile ${at('pid')}`;
  const script =
    hosts === undefined
      ? `exec ${daemon} --bridge none --iptables=false --ip6tables=false --ip-forward=false`
      : `ip link set lo up && mount --bind ${at('hosts')} /etc/hosts && exec ${daemon}`;
  const answers = async () => (await run({ name: 'docker version', command: '/usr/bin/docker', args: ['version'], env })).code === 0;
  const dockerd = await start({
    name: 'dockerd',
    command: 'unshare',
    args: [...(hosts === undefined ? [] : ['--net']), '--mount', '--propagation', 'private', 'sh', '-euc', script],
    env,
    ready: answers,
    readyTimeoutMs: 60_000,
  });
  const spaces = ['net', 'mnt'].map((space) => `--${space === 'mnt' ? 'mount' : space}=/proc/${dockerd.pid}/ns/${space}`);
  return {
    env,
    shell: (text, { cwd, env: more = {} }) => {
      const args = [...spaces, 'sh', '-euc', `cd '${cwd}'\n${text}`];
      return run({ name: text.split('\n')[0] ?? '', command: 'nsenter', args, env: { ...env, ...more }, timeoutMs: 600_000 });
    },
    async stop() {
      await dockerd.stop({ graceMs: 30_000 });
      rmSync(home, { recursive: true, force: true });
    },
  };
}
