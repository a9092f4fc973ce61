// Shell completion: the offers of a real bash. All three scripts have every command, option and role.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_ROLES } from '../contract/roles.ts';
import { COMMANDS, LATER_COMMANDS } from './commands.ts';
import { main } from './main.ts';
import { runCommand } from './run-command.ts';

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-completion-'));
  writeFileSync(join(directory, 'bash'), (await lictor('completion', 'bash')).out);
  writeFileSync(join(directory, 'some.yaml'), '');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough({ highWaterMark: 1 << 20 }), new PassThrough()];
  const status = await main({ args, out, err, env: {}, cwd: directory });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

/** The offers of bash after these words. The last word is incomplete. */
async function offered(...words: string[]): Promise<readonly string[]> {
  const script = `source ./bash; COMP_WORDS=(lictor "$@"); COMP_CWORD=$#; _lictor; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, output } = await runCommand({ command: 'bash', args: ['-c', script, 'bash', ...words], env: process.env, cwd: directory });
  expect(status, output).toBe(0);
  return output.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  it('accepts the script, and completes lictor by it', async () => {
    expect(await runCommand({ command: 'bash', args: ['-n', join(directory, 'bash')], env: process.env })).toEqual({ status: 0, output: '' });
    const { output } = await runCommand({ command: 'bash', args: ['-c', 'source ./bash; complete -p lictor'], env: process.env, cwd: directory });
    expect(output).toBe('complete -F _lictor lictor\n');
  });

  it('offers every command, and nothing that is not built', async () => {
    const words = await offered('');
    for (const { name } of COMMANDS) expect(words).toContain(name);
    expect(words).toContain('--config');
    for (const name of LATER_COMMANDS) expect(words).not.toContain(name);
  });

  it('offers what fits the beginning', async () => {
    expect(await offered('tok')).toEqual(['token']);
    expect(await offered('token', 'cr')).toEqual(['create']);
    expect(await offered('completion', 'z')).toEqual(['zsh']);
    expect(await offered('nonsense')).toEqual([]);
  });

  it('offers values: roles, files, directories', async () => {
    expect(await offered('token', 'create', 'ci', '--role', '')).toEqual([...BUILT_IN_ROLES]);
    expect(await offered('account', 'add', 'alice', '--role', 'dep')).toEqual(['deployer']);
    expect(await offered('check', '-c', 'some')).toEqual(['some.yaml']);
    expect(await offered('up', '--state-dir', 'some')).toEqual([]);
  });

  it('takes no value for a command, wherever the global options stand', async () => {
    expect(await offered('-c', 'up', 'token', 'rev')).toEqual(['revoke']);
    expect(await offered('--state-dir', 'token', 'au')).toEqual(['audit']);
  });
});

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  it('knows every command and option of the help', async () => {
    const { status, out } = await lictor('completion', shell);
    expect(status).toBe(0);
    for (const { name } of COMMANDS) {
      const help = await lictor(name, '--help');
      const options = [...help.out.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)].map((match) => match[1] ?? '');
      expect(out).toContain(name);
      for (const option of options) expect(out, `${name} --${option}`).toMatch(new RegExp(shell === 'fish' ? `-l ${option}\\b` : `--${option}\\b`));
    }
  });
});

it('refuses another shell with the list', async () => {
  expect(await lictor('completion', 'csh')).toMatchObject({ status: 2, err: expect.stringContaining('bash, zsh, fish') });
});
