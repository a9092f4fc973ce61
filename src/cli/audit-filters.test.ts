// The options of `lictor audit` and its subcommands, and the errors for invalid ones.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeRecords } from '../record/ledger/chain/chain.fixture.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { documentedProgram, main } from './main.ts';

let root: string;
let remove: () => void;
beforeEach(() => {
  const state = tempState();
  root = state.paths.root;
  remove = state.remove;
  writeRecords(state.paths, 3);
});
afterEach(() => remove());

async function audit(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: ['--state-dir', root, 'audit', ...args], out, err, env: {}, cwd: root });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function optionsOf(...words: string[]) {
  const program = await documentedProgram({ out: new PassThrough(), err: new PassThrough() });
  const command = words.reduce((parent, word) => parent.commands.find((child) => child.name() === word) ?? parent, program);
  return command.options;
}

/** A valid value for each filter. */
const VALUES: Readonly<Record<string, string>> = {
  '--flow-run': '0199c0de-0000-7000-8000-0000000000ff',
  '--deployment': '0199c0de-0000-7000-8000-0000000000ff',
  '--after': '0199c0de-0000-7000-8000-0000000000ff',
  '--decision': 'deny',
  '--status': '403',
  '--address': '192.0.2.7',
  '--path': '/api/*',
  '--since': '24h',
  '--until': '1h',
  '--last': '3',
  '--limit': '3',
  '--reason': 'policy-default-deny',
  '--action': 'flow_runs.*',
};

describe.each(['verify', 'export', 'head'])('lictor audit %s', (name) => {
  it('refuses every option of audit that is not its own, wherever it stands', async () => {
    const own = (await optionsOf('audit', name)).map(({ long }) => long);
    const foreign = (await optionsOf('audit')).filter(({ long }) => !own.includes(long));
    expect(foreign.length).toBeGreaterThan(15);
    for (const { long, required } of foreign) {
      const words = [`${long}`, ...(required ? [VALUES[`${long}`] ?? 'x'] : [])];
      const refused = { status: 2, out: '', err: expect.stringContaining(`audit ${name} takes no ${long}`) };
      expect(await audit(name, ...words)).toEqual(refused);
      expect(await audit(...words, name)).toEqual(refused);
    }
  });

  it('writes no file then, and one without them', async () => {
    const file = join(root, 'out');
    const output = name === 'verify' ? [] : ['-o', file];
    expect((await audit(name, ...output, '--status', '403')).status).toBe(2);
    expect(existsSync(file)).toBe(false);
    expect((await audit(name, ...output)).status).toBe(0);
    expect(existsSync(file)).toBe(name !== 'verify');
  });

  it('names in its help its own options and those of lictor, and no filter of audit', async () => {
    const { out } = await audit(name, '--help');
    expect(out).toContain('--state-dir');
    expect(out).not.toContain('--principal');
    expect((await audit('--help')).out).toContain('--principal');
  });
});

describe('a word behind lictor audit', () => {
  it('that is similar to a command gets a question, and any other one gets the list', async () => {
    expect(await audit('verfy')).toEqual({ status: 2, out: '', err: 'lictor: audit verfy is no command. Did you mean verify?\n' });
    expect(await audit('--last', '2', 'denials')).toMatchObject({ status: 2, err: expect.stringContaining('There are: verify, export, head') });
    expect((await audit('head', 'more')).status).toBe(2);
  });

  it('is not needed', async () => {
    expect(await audit('--last', '2')).toMatchObject({ status: 0, err: '' });
  });
});
