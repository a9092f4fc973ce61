// The packages on systems that never saw Lictor: the Debian package from its installation to its purge, and the wheel in an empty venv.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Debian, newDebian } from '../env/debian.ts';
import { freePort } from '../env/free-port.ts';
import { buildPackage, buildTree, installWheel, must, pathWithoutNode } from '../env/packages.ts';
import { run } from '../env/process.ts';
import { prefectVenv } from '../env/venv.ts';
import { bringProgram } from '../runner/programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-packages-'));
const tree = join(directory, 'tree');
beforeAll(() => buildTree(tree));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the Debian package', () => {
  const FAST = ['-Zgzip', '-z1'] as const;
  let deb: string;
  let debian: Debian;
  beforeAll(async () => {
    deb = await buildPackage('deb', tree, join(directory, 'deb'), ...FAST);
    debian = await newDebian(join(directory, 'debian'));
  });

  /** The output of commands that succeed. */
  async function inside(script: string, where = debian): Promise<string> {
    const { code, output } = await where.inside(script);
    expect(code, output).toBe(0);
    return output;
  }

  async function install(file: string, where = debian): Promise<string> {
    cpSync(file, join(where.root, 'srv', basename(file)));
    return inside(`apt-get -q -y --no-install-recommends install /srv/${basename(file)}`, where);
  }

  /** What the unit starts: its command, as its user, in its directory. It ends when a request was answered. */
  function started(): Promise<string> {
    const unit = readFileSync(join(debian.root, 'usr/lib/systemd/system/lictor.service'), 'utf8');
    const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
    const ask =
      "const ask = () => fetch('http://localhost:8200/.lictor/ready').then((a) => console.log('answer', a.status), () => setTimeout(ask, 100)); ask();";
    return inside(`
      cd ${setting('WorkingDirectory')}
      umask ${setting('UMask')}
      HOME=$PWD setpriv --reuid ${setting('User')} --regid ${setting('Group')} --clear-groups --no-new-privs ${setting('ExecStart')} &
      gateway=$!
      timeout 20 /usr/lib/lictor/bin/node -e "${ask}"
      kill $gateway
      wait $gateway`);
  }

  const asLictor = (command: string) =>
    `cd /var/lib/lictor && HOME=$PWD setpriv --reuid lictor --regid lictor --clear-groups lictor ${command} -c /etc/lictor/lictor.yaml --state-dir /var/lib/lictor`;
  const units = (where = debian) =>
    readdirSync(join(where.root, 'etc/systemd/system'), { recursive: true, encoding: 'utf8' }).filter((name) => /nginx|lictor/.test(name));

  it('has nothing that lintian complains about', async () => {
    await bringProgram('lintian', process.env, (line) => void process.stderr.write(`${line}\n`));
    await must('lintian', ['--fail-on', 'error,warning', deb]);
  });

  it('has a unit that systemd accepts, with little exposure', async () => {
    const file = join(directory, 'lictor.service');
    await must('dpkg-deb', ['-x', deb, join(directory, 'content')]);
    const unit = readFileSync(join(directory, 'content/usr/lib/systemd/system/lictor.service'), 'utf8');
    writeFileSync(file, unit.replace('=/usr/bin/lictor', `=${join(directory, 'content/usr/bin/lictor')}`));
    expect(await must('systemd-analyze', ['verify', file])).toBe('');
    await must('systemd-analyze', ['security', '--offline=true', '--threshold=20', file]);
  });

  it('is installed with its user, and leaves the service of the new nginx disabled', async () => {
    await install(deb);
    expect(units()).toEqual(['multi-user.target.wants/lictor.service']);
    expect(await inside('stat -c "%U %a" /var/lib/lictor; getent passwd lictor')).toMatch(/^lictor 700\nlictor:.*:\/usr\/sbin\/nologin$/m);
  });

  it('starts as the unit says', async () => {
    expect(await inside(asLictor('check'))).toContain('no problem');
    expect(await started()).toContain('answer 503');
  });

  it('leaves configuration and state as they are in an upgrade', async () => {
    await inside(`${asLictor('account add alice --role admin')}; echo '# mine' >>/etc/lictor/lictor.yaml`);
    const newer = join(directory, 'newer');
    cpSync(tree, newer, { recursive: true, preserveTimestamps: true });
    writeFileSync(join(newer, 'package.json'), readFileSync(join(tree, 'package.json'), 'utf8').replace(/"version": ".*"/, '"version": "99.0.0"'));
    await install(await buildPackage('deb', newer, join(directory, 'deb-newer'), ...FAST));
    expect(await inside('dpkg-query -W lictor; tail -n 1 /etc/lictor/lictor.yaml')).toContain('lictor\t99.0.0-1\n# mine');
    expect(await inside(asLictor('account list'))).toContain('alice');
    expect(await started()).toContain('answer 503');
  });

  it('leaves configuration and state when it is removed, and nothing when it is purged', async () => {
    await inside('apt-get -q -y remove lictor; test -e /etc/lictor/lictor.yaml; test -e /var/lib/lictor/lictor.db; test ! -e /usr/lib/lictor');
    await inside('apt-get -q -y purge lictor; rm /srv/lictor_*.deb');
    expect(
      await inside("find / -xdev -name '*lictor*' ! -path '/proc/*' ! -path '/dev/*'; grep -rl lictor /etc /var/lib --exclude='*-' --exclude='*-old' || true"),
    ).toBe('');
    expect(units()).toEqual([]);
  });

  it('leaves the service of an nginx as it is that was there before', async () => {
    const other = await newDebian(join(directory, 'debian-nginx'));
    await inside('apt-get -q -y --no-install-recommends install nginx', other);
    const before = units(other);
    expect(before).toContain('multi-user.target.wants/nginx.service');
    await install(deb, other);
    expect(units(other).sort()).toEqual([...before, 'multi-user.target.wants/lictor.service'].sort());
  });
});

describe('the wheel', () => {
  it('runs the demo from an empty venv, without Node on PATH', async () => {
    const venv = join(directory, 'venv');
    await installWheel(await buildPackage('wheel', tree, join(directory, 'wheel')), venv);
    const env = {
      PATH: pathWithoutNode(join(directory, 'path')),
      HOME: join(directory, 'home'),
      LICTOR_PREFECT: await prefectVenv(),
      LICTOR_NGINX: process.env['LICTOR_NGINX'] ?? '/usr/sbin/nginx',
    };
    const args = ['demo', '--once', '--port', String(await freePort()), '--state-dir', join(directory, 'state')];
    const { code, output } = await run({ name: 'the demo of the wheel', command: join(venv, 'bin/lictor'), args, env, timeoutMs: 300_000 });
    expect(code, output).toBe(0);
    expect(output).toContain('Completed');
    expect(output).not.toContain(process.execPath);
  });
});
