// `lictor support`, and the other commands of docs/how-to/diagnose.md, with a gateway that does not run.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docsBlock, docsBlocks } from '../../test/env/docs.ts';
import { main } from './main.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-support-'));
const bundle = join(directory, 'bundle.tar.gz');
beforeAll(() => {
  writeFileSync(join(directory, 'nginx'), '#!/bin/sh\necho nginx/1.22.1 >&2\n', { mode: 0o755 });
  writeFileSync(join(directory, 'auth'), 'gate:hidden-password\n', { mode: 0o600 });
  writeFileSync(
    join(directory, 'lictor.yaml'),
    'public_url: http://localhost:9\nprefect: { url: "http://127.0.0.1:7", auth_string_file: auth }\nidentity_providers: [{ id: local, type: accounts }]\n',
  );
});
afterAll(() => rmSync(directory, { recursive: true }));

async function lictor(...words: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  const env = { PATH: process.env['PATH'], LICTOR_NGINX: join(directory, 'nginx'), MY_API_KEY: 'another-hidden-word' };
  const args = ['-c', join(directory, 'lictor.yaml'), '--state-dir', join(directory, 'state'), ...words];
  return { code: await main({ args, out, err: out, env, cwd: directory }), text };
}

describe('lictor support', () => {
  it('writes a file that only its owner can read, and says what it holds', async () => {
    const { code, text } = await lictor('support', '-o', bundle);
    expect([code, statSync(bundle).mode & 0o777]).toEqual([0, 0o600]);
    expect(text).toContain('bundle.tar.gz holds');
    const names = execFileSync('tar', ['-tzf', bundle], { encoding: 'utf8' }).trim().split('\n');
    for (const name of ['README.txt', 'versions.json', 'config.yaml', 'doctor.json', 'state.json', 'metrics.txt', 'logs/control.log'])
      expect(names.filter((each) => each.endsWith(`/${name}`))).toHaveLength(1);
    const whole = execFileSync('tar', ['-xzOf', bundle], { encoding: 'latin1' });
    expect(whole).toContain('"lictor": ');
    expect(whole).toContain('does not run with this state directory');
    expect(whole).not.toMatch(/hidden-password|another-hidden-word/);
  });

  it('replaces no file', async () => {
    const before = readFileSync(bundle);
    const { code, text } = await lictor('support', '-o', bundle);
    expect([code, text]).toEqual([1, expect.stringContaining(`${bundle} exists. Remove it`)]);
    expect(readFileSync(bundle).equals(before)).toBe(true);
  });

  it('says where it cannot write, and rejects a wrong number', async () => {
    expect(await lictor('support', '-o', join(directory, 'none', 'b.tar.gz'))).toMatchObject({ code: 1, text: expect.stringContaining('is not there') });
    expect(await lictor('support', '--lines', '0')).toMatchObject({ code: 2 });
  });
});

describe('docs/how-to/diagnose.md', () => {
  const commands = docsBlocks('how-to/diagnose.md').filter((block) => block.startsWith('lictor '));

  it.each(commands)('%s', async (command) => {
    rmSync(bundle, { force: true });
    const [, ...words] = command.trim().replace('bundle.tar.gz', bundle).split(' ');
    // doctor says that the gateway does not run.
    expect(await lictor(...words)).toMatchObject({ code: words[0] === 'doctor' ? 1 : 0 });
  });

  it('has the command that unpacks a bundle', () => {
    execFileSync('sh', ['-c', docsBlock('how-to/diagnose.md', 'tar -xzf')], { cwd: directory });
  });
});

it('lictor doctor --login needs --deep', async () =>
  expect(await lictor('doctor', '--login')).toMatchObject({ code: 2, text: expect.stringContaining('needs --deep') }));
