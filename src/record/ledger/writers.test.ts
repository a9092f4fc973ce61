// Who still writes a file: other processes only, and only those that opened it for writing.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { tempState } from './lines.fixture.ts';
import { writersOf } from './writers.ts';

let file: string;
let remove: () => void;
let child: ChildProcess | undefined;

beforeEach(() => {
  const state = tempState();
  file = state.paths.accessLog;
  remove = state.remove;
  writeFileSync(file, '');
});
afterEach(async () => {
  await end();
  remove();
});

/** A process that opens the file as its standard output or input, reports that, and stays. */
async function open(how: '>>' | '<'): Promise<void> {
  child = spawn('sh', ['-c', `exec 3${how}"$0"; echo open; exec sleep 300 <&- >&-`, file], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (child.stdout !== null) await once(child.stdout, 'data');
}

async function end(): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

it('sees a writer under the name that the file has now, until it ends', async () => {
  expect(writersOf(file)).toBe('none');
  await open('>>');
  expect(writersOf(file)).toBe('some');
  renameSync(file, `${file}.1`);
  expect([writersOf(file), writersOf(`${file}.1`)]).toEqual(['none', 'some']);
  await end();
  expect(writersOf(`${file}.1`)).toBe('none');
});

it('does not wait for a reader: tail -f must not hold a log back', async () => {
  await open('<');
  expect(writersOf(file)).toBe('none');
});
