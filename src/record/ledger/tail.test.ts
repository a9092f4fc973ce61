import { appendFileSync, closeSync, openSync, renameSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempState } from './lines.fixture.ts';
import { openTail, type Tail, type TailPosition } from './tail.ts';
import type { Writers } from './writers.ts';

describe('tail', () => {
  let file: string;
  let remove: () => void;
  let last: TailPosition | null;
  beforeEach(() => {
    const state = tempState();
    file = state.paths.accessLog;
    remove = state.remove;
    last = null;
  });
  afterEach(() => remove());

  /** Everything that is there; as often as a patient reader would look. */
  function drain(tail: Tail): string[] {
    const all: string[] = [];
    for (let emptyLooks = 0; emptyLooks < 5; ) {
      const chunk = tail.read(100);
      if (chunk === undefined) emptyLooks += 1;
      else {
        all.push(...chunk.lines.map(({ bytes }) => bytes.toString()));
        tail.advance(chunk.next);
        last = chunk.next;
      }
    }
    return all;
  }

  it('waits for a file that is not there yet', () => {
    const tail = openTail(file, null);
    expect(tail.read(10)).toBeUndefined();
    appendFileSync(file, 'a\n');
    expect(drain(tail)).toEqual(['a']);
    tail.close();
  });

  it('gives whole lines only: the last one waits for its newline', () => {
    appendFileSync(file, 'a\nb');
    const tail = openTail(file, null);
    expect(drain(tail)).toEqual(['a']);
    appendFileSync(file, 'c\n');
    expect(drain(tail)).toEqual(['bc']);
    tail.close();
  });

  it('returns the same again until it must advance', () => {
    appendFileSync(file, 'a\nb\nc\n');
    const tail = openTail(file, null);
    expect(tail.read(2)?.lines.map(({ offset }) => offset)).toEqual([0, 2]);
    expect(tail.read(2)?.lines.map(({ bytes }) => bytes.toString())).toEqual(['a', 'b']);
    tail.close();
  });

  it.each([500, 700, 3_000, 40_000, 140_000])('fills a batch with lines of %i bytes, as far as a megabyte goes, and cuts none', (length) => {
    const lines = Array.from({ length: 300 }, (_, index) => String(index).padEnd(length, 'x'));
    writeFileSync(file, `${lines.join('\n')}\n`);
    const tail = openTail(file, null);
    expect(tail.read(250)?.lines.length).toBe(Math.min(250, Math.floor((1 << 20) / (length + 1))));
    expect(drain(tail)).toEqual(lines);
    tail.close();
  });

  it('continues where it stopped', () => {
    appendFileSync(file, 'a\nb\n');
    const first = openTail(file, null);
    drain(first);
    first.close();
    appendFileSync(file, 'c\n');
    const second = openTail(file, last);
    expect(drain(second)).toEqual(['c']);
    second.close();
  });

  it('begins again when the file was truncated', () => {
    appendFileSync(file, 'long line one\nlong line two\n');
    const tail = openTail(file, null);
    drain(tail);
    truncateSync(file);
    appendFileSync(file, 'x\n');
    expect(drain(tail)).toEqual(['x']);
    tail.close();
  });

  it('begins again when the file was truncated and has outgrown the old position', () => {
    appendFileSync(file, 'one\n');
    const tail = openTail(file, null);
    drain(tail);
    truncateSync(file);
    appendFileSync(file, 'two\nthree\nfour\n');
    expect(drain(tail)).toEqual(['two', 'three', 'four']);
    tail.close();
  });

  it('reads a renamed file to its end, then the new one', () => {
    appendFileSync(file, 'a\n');
    const tail = openTail(file, null);
    drain(tail);
    renameSync(file, `${file}.1`);
    appendFileSync(`${file}.1`, 'late\n');
    writeFileSync(file, 'new\n');
    expect(drain(tail)).toEqual(['late', 'new']);
    tail.close();
  });

  it('stays in a renamed file while a process has it open for writing, however long no line arrives', () => {
    const writer = openSync(file, 'a');
    writeSync(writer, 'a\n');
    let writers: Writers = 'some';
    const tail = openTail(file, null, (path) => (path === `${file}.1` ? writers : 'none'));
    drain(tail);
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'new\n');
    expect([drain(tail), drain(tail), tail.behind()]).toEqual([[], [], true]);
    writeSync(writer, 'very late\n');
    expect(drain(tail)).toEqual(['very late']);
    closeSync(writer);
    writers = 'none';
    expect([drain(tail), tail.behind()]).toEqual([['new'], false]);
    tail.close();
  });

  it('takes the line that came between the last look and the last writer’s leaving', () => {
    appendFileSync(file, 'a\n');
    const tail = openTail(file, null, (path) => {
      if (late) appendFileSync(path, 'last word\n');
      late = false;
      return 'none';
    });
    let late = true;
    drain(tail);
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'new\n');
    expect(drain(tail)).toEqual(['last word', 'new']);
    tail.close();
  });

  it('finds a file that was renamed while it was closed', () => {
    appendFileSync(file, 'a\n');
    const first = openTail(file, null);
    drain(first);
    first.close();
    appendFileSync(file, 'late\n');
    renameSync(file, `${file}.1`);
    writeFileSync(file, 'new\n');
    const second = openTail(file, last);
    expect(drain(second)).toEqual(['late', 'new']);
    second.close();
  });

  it('gets past a monster without a newline', () => {
    appendFileSync(file, `${'x'.repeat((1 << 20) + 5)}\nb\n`);
    const tail = openTail(file, null);
    expect(drain(tail).map((line) => line.length)).toEqual([1 << 20, 5, 1]);
    tail.close();
  });
});
