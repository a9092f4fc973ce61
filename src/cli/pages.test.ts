// Compares hand-written pages with lists in the code: keys that need a restart, roles, the form of vectors. Runs the beginning of README.md.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../test/env/certificate.ts';
import { docsBlock } from '../../test/env/docs.ts';
import { parseVectors } from '../authorization/policy/own/vectors.ts';
import { loadConfig } from '../config/load.ts';
import { BUILT_IN_ROLES } from '../contract/roles.ts';
import { REPOSITORY } from './repository.ts';

const page = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');

describe('what needs a restart', () => {
  const keys = [...page('docs/reference/configuration.md').matchAll(/^\| `([a-z_.]+)` .*\*\*Needs a restart\*\*/gm)].map(([, key = '']) => key);

  it.each([
    ['lictor.yaml', /^# SIGHUP applies .*$/m],
    ['docs/how-to/reload.md', /^\| .* \| restart: .*$/m],
    ['docs/how-to/upgrading.md', /^A reload .*$/m],
  ])('is said whole by %s, and nothing else', (name, line) => {
    const words = (line.exec(page(name))?.[0] ?? '').toLowerCase();
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) expect(words).toContain(key);
    expect(words).not.toContain('roles');
  });
});

describe('the roles', () => {
  it.each(['lictor.yaml', 'docs/reference/policies.md'])('are all named by %s', (name) => {
    const line = page(name)
      .split('\n')
      .find((candidate) => candidate.includes('viewer, operator'));
    for (const role of BUILT_IN_ROLES) expect(line).toMatch(new RegExp(`\\b${role}\\b`));
  });
});

describe('the decision vector of docs/how-to/services.md', () => {
  const text = docsBlock('how-to/services.md', 'vectors:');

  it('is a file of vectors as it stands', () => {
    expect(parseVectors('billing.vectors.yaml', text)).toMatchObject({ problems: [], vectors: [{ name: 'team-a reads rates', expect: 'allow' }] });
  });

  it('would be none without its head', () => {
    expect(parseVectors('billing.vectors.yaml', text.replace('vectors:\n', '')).problems).not.toEqual([]);
  });
});

describe('README.md', () => {
  it('writes a configuration that Lictor accepts, and then runs commands of Lictor', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'lictor-readme-'));
    await selfSigned(directory);
    // They stand for the checkout, and write their arguments down.
    writeFileSync(join(directory, 'git'), '#!/bin/sh\nmkdir lictor && cp lictor-stub lictor/lictor\n', { mode: 0o755 });
    writeFileSync(join(directory, 'lictor-stub'), `#!/bin/sh\necho "$1 $2" >> ${directory}/commands\n`, { mode: 0o755 });
    const files = { 'chain.pem': 'cert.pem', 'key.pem': 'key.pem' };
    for (const [name, file] of Object.entries(files)) cpSync(join(directory, file), join(directory, 'etc', name));
    const script = docsBlock('../README.md', 'git clone URL')
      .replaceAll('/etc/lictor', join(directory, 'etc'))
      .replace('USER:PASSWORD', 'lictor:0123456789abcdef');
    execFileSync('sh', ['-ec', script], { cwd: directory, env: { ...process.env, PATH: `${directory}:${process.env['PATH']}` } });
    expect(loadConfig(join(directory, 'etc/lictor.yaml'), {}, { stateDir: directory })).toMatchObject({ ok: true });
    const commands = readFileSync(join(directory, 'commands'), 'utf8').split('\n');
    expect(commands.map((line) => line.replace(' -c', ''))).toEqual(['check', 'account add', 'token create', 'up', 'doctor', '']);
    rmSync(directory, { recursive: true });
  });
});
