import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createContext, type GlobalOptions } from './context.ts';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lictor-context-'));
  mkdirSync(join(cwd, '.lictor'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

/** The file of three questions, from the working directory, and what was printed. */
function chosen(options: GlobalOptions = {}): readonly [string, string] {
  const err = new PassThrough();
  const wholeProgram = () => Promise.reject(new Error('not asked'));
  const context = createContext({ out: new PassThrough(), err, env: {}, cwd, globalOptions: () => options, wholeProgram });
  const [file = ''] = [context.configFile(), context.configFile(), context.configFile()];
  return [file.slice(cwd.length + 1), String(err.read() ?? '')];
}

const write = (file: string) => writeFileSync(join(cwd, file), '');

it('warns once if both places have a configuration', () => {
  write('lictor.yaml');
  write('.lictor/lictor.yaml');
  const [file, warning] = chosen();
  expect(file).toBe('lictor.yaml');
  expect(warning).toBe(`lictor: there are two configurations. This command reads ${cwd}/lictor.yaml, not ${cwd}/.lictor/lictor.yaml. -c FILE chooses.\n`);
});

it('twin: says nothing with -c, with one file, or if both places are one', () => {
  write('.lictor/lictor.yaml');
  expect(chosen()).toEqual(['.lictor/lictor.yaml', '']);
  write('lictor.yaml');
  expect(chosen({ config: 'lictor.yaml' })).toEqual(['lictor.yaml', '']);
  expect(chosen({ stateDir: '.' })).toEqual(['lictor.yaml', '']);
});
