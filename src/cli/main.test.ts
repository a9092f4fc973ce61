// The command line: exit statuses, messages instead of stack traces, and help for every command.
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import { COMMANDS, LATER_COMMANDS } from './commands.ts';
import { main } from './main.ts';

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lictor-cli-'));
});
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args, out, err, env: {}, cwd });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

const VERBS =
  'approve check deny enforce explain find list lock log manage measure move print purge remove replace replay restore run search show try validate write'.split(
    ' ',
  );

describe('lictor', () => {
  it('says in at most eight words, without a passive or a noun alone, what each command does', () => {
    const starts = new Set(COMMANDS.map(({ summary }) => summary.split(/\W/)[0]));
    expect(COMMANDS.filter(({ summary }) => summary.split(' ').length > 8)).toEqual([]);
    expect([...starts].filter((word) => word !== undefined && !VERBS.includes(word))).toEqual([]);
  });

  it('lists every built command in its help, with an example', async () => {
    const { status, out } = await lictor('--help');
    expect(status).toBe(0);
    for (const { name } of COMMANDS) expect(out).toContain(`\n  ${name} `);
    expect(out).toContain('Example:');
  });

  it.each(COMMANDS.map(({ name }) => name))('%s --help has an example and the global options', async (name) => {
    const { status, out } = await lictor(name, '--help');
    expect(status).toBe(0);
    expect(out).toContain('Example');
    expect(out).toContain('--state-dir');
  });

  it('answers 2 to nothing, to an unknown command and to an unknown option', async () => {
    expect((await lictor()).status).toBe(2);
    expect(await lictor('chekc')).toMatchObject({ status: 2, err: expect.stringContaining('Did you mean check') });
    expect((await lictor('check', '--nonsense')).status).toBe(2);
    expect(await lictor('--nonsense')).toMatchObject({ status: 2, err: expect.stringContaining('(lictor --help lists the commands)') });
    const err = expect.stringContaining('(lictor token create --help shows how to use it)');
    expect(await lictor('token', 'create')).toMatchObject({ status: 2, err });
    expect(await lictor('token', 'create', 'x', '--nonsense')).toMatchObject({ status: 2, err });
  });

  it('writes nothing to the terminal from a file of another user', async () => {
    const file = join(cwd, 'elsewhere.yaml');
    writeFileSync(file, 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n"\\e]0;x\\a\\e[2J": 1\n');
    const { status, err } = await lictor('locks', '-c', file);
    expect(status).toBe(1);
    expect(err).toContain('[2J: unknown key');
    expect(err).not.toMatch(/(?!\n)\p{Cc}/u);
  });

  it('has a summary and an example in the help of every command and subcommand', async () => {
    const subcommands = (help: string) => /^Commands:\n((?: {2}.*\n)+)/m.exec(help)?.[1] ?? '';
    const visit = async (words: readonly string[]): Promise<void> => {
      const { status, out } = await lictor(...words, '--help');
      expect([words, status]).toEqual([words, 0]);
      expect(out, words.join(' ')).toMatch(new RegExp(`Examples?:\\n(?:.*\\n)*? *(?:source <\\()?lictor ${words[0]}`));
      const names = [...subcommands(out).matchAll(/^ {2}(\w[\w-]*)/gm)].map((match) => match[1] ?? '');
      for (const name of names) if (name !== 'help') await visit([...words, name]);
    };
    for (const { name } of COMMANDS) await visit([name]);
  });

  it.each(LATER_COMMANDS)('says that %s is not built yet, with status 2', async (name) => {
    expect(await lictor(name, 'x', '--y', '--help')).toMatchObject({ status: 2, err: expect.stringContaining('not built yet') });
  });

  it('knows its version', async () => {
    expect(await lictor('--version')).toMatchObject({ status: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('lictor check', () => {
  it('prints every problem with its line, and answers 1 without a stack trace', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'public_url: http://example.com\nprefect: { url: http://127.0.0.1:4200, uri: x }\n');
    const { status, out, err } = await lictor('-c', 'bad.yaml', 'check');
    expect(status).toBe(1);
    expect(out).toMatch(/bad\.yaml:1 {2}public_url: .*\n {4}\S/);
    expect(out).toMatch(/bad\.yaml:2 {2}prefect\.uri: unknown key/);
    expect(err).toContain('2 problems');
    expect(err).not.toContain(' at ');
  });

  it('takes -c after the command, and prints JSON lines', async () => {
    const { status, out } = await lictor('check', '--json', '-c', 'missing.yaml');
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ path: '', remedy: expect.stringContaining('-c FILE') });
  });

  it('prints the schema', async () => {
    const { status, out } = await lictor('check', '--print-schema');
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ title: 'lictor.yaml' });
  });
});

describe('a database that another process writes to', () => {
  const database = (): string => join(cwd, 'locked', 'lictor.db');
  const create = (name: string) => lictor('-c', join(cwd, 'locked.yaml'), '--state-dir', join(cwd, 'locked'), 'token', 'create', name, '--role', 'viewer');
  beforeAll(async () => {
    writeFileSync(join(cwd, 'locked.yaml'), 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n');
    expect(await create('before')).toMatchObject({ status: 0 });
  });
  afterAll(() => removeRuntimeDir(prepareStateDir(join(cwd, 'locked'))));
  afterEach(() => vi.restoreAllMocks());

  it('is named, with what to do, and is no defect of lictor', async () => {
    using writer = new DatabaseSync(database());
    writer.exec('begin immediate');
    // A command waits 15 s. Each read of this clock returns a later time.
    let nowMs = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 20_000));
    const { status, err } = await create('locked');
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringMatching(/locked.*\nAnother process writes to a database of this gateway, or hangs\. Try again/),
    });
    expect(err).not.toContain('defect');
    writer.exec('rollback');
  });

  it('twin: is waited for while the other one writes, and nothing is said', async () => {
    const writer = new DatabaseSync(database());
    writer.exec('begin immediate');
    const looks = vi.spyOn(performance, 'now');
    const created = create('waited-for');
    // Until then, the command has tried the lock without success.
    await vi.waitFor(() => expect(looks.mock.calls.length).toBeGreaterThan(5));
    writer.exec('rollback');
    writer.close();
    expect(await created).toMatchObject({ status: 0, err: '' });
  });
});

describe.runIf(process.getuid?.() === 0)('a state directory of an unprivileged gateway', () => {
  // `up` changes the umask of its process, which also runs other tests here.
  const umask = process.umask();
  const before = process.listeners('SIGHUP');
  afterEach(() => {
    process.umask(umask);
    for (const listener of process.listeners('SIGHUP')) if (!before.includes(listener)) process.off('SIGHUP', listener);
  });
  const lines = (dir: string) => `lictor: ${dir} belongs to user 12345: run this as that user (sudo -u '#12345' ./lictor ...).\n`;

  it.each([['check'], ['doctor'], ['doctor', '--json'], ['up'], ['token', 'list']])(
    'is not for root: %s %s says so before anything else, and leaves it as it is',
    async (...command) => {
      const dir = join(cwd, 'gateway');
      mkdirSync(join(dir, 'log'), { recursive: true });
      for (const path of [dir, join(dir, 'log')]) chownSync(path, 12_345, 12_345);
      expect(await lictor('-c', 'missing.yaml', '--state-dir', dir, ...command)).toEqual({ status: 1, out: '', err: lines(dir) });
      expect(readdirSync(dir, { recursive: true })).toEqual(['log']);
    },
  );

  it('is for root where the gateway is its own: the next thing is said', async () => {
    const dir = join(cwd, 'own');
    mkdirSync(join(dir, 'log'), { recursive: true });
    const { status, out, err } = await lictor('-c', 'missing.yaml', '--state-dir', dir, 'check');
    expect({ status, err }).toEqual({ status: 1, err: expect.not.stringContaining('belongs to') });
    expect(out).toContain('missing.yaml');
  });
});
