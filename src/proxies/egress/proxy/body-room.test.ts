import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createBodyRoom, createSending } from './body-room.ts';

describe('room for bodies', () => {
  it('is never all for one caller, however many bodies it has', () => {
    const room = createBodyRoom(128);
    const greedy = Array.from({ length: 20 }, () => room.take('greedy', 10));
    expect(greedy.filter((taken) => taken === 'taken')).toHaveLength(6);
    expect(greedy.at(-1)).toBe('share');
    expect(room.take('other', 16)).toBe('taken');
    expect(room.take('third', 16)).toBe('taken');
  });

  it('is available to a caller without any, up to its bound', () => {
    const room = createBodyRoom(100);
    expect(room.take('a', 50)).toBe('taken');
    expect(room.take('b', 45)).toBe('taken');
    expect(room.take('c', 6)).toBe('full');
    expect(room.take('c', 5)).toBe('taken');
    for (const caller of ['a', 'd']) expect(room.take(caller, 0)).toBe('taken');
    expect(room.take('d', 1)).toBe('full');
  });

  it('is free again', () => {
    const room = createBodyRoom(100);
    for (const bytes of [20, 30]) expect(room.take('a', bytes)).toBe('taken');
    expect(room.take('a', 1)).toBe('share');
    room.give('a', 20);
    expect(room.take('a', 20)).toBe('taken');
    for (const bytes of [30, 20]) room.give('a', bytes);
    expect(room.take('b', 100)).toBe('taken');
  });

  it('is separate for each caller: bodies of another make it smaller, and do not refuse it', () => {
    const room = createBodyRoom(100);
    for (const bytes of [10, 40]) expect(room.take('a', bytes)).toBe('taken');
    for (const bytes of [10, 10]) expect(room.take('b', bytes)).toBe('taken');
    expect(room.take('b', 10)).toBe('share');
    expect(room.take('c', 20)).toBe('taken');
  });
});

describe('room for bodies that callers read', () => {
  const reader = (destroyed = false) => Object.assign(new EventEmitter(), { destroyed }) as unknown as ServerResponse;

  it('counts a body once, until its last reader is gone', () => {
    const sending = createSending(100);
    const [large, other] = [Buffer.alloc(80), Buffer.alloc(30)];
    const readers = [reader(), reader()];
    for (const one of readers) expect(sending.begin('a', large, one)).toBe(true);
    for (const one of readers) {
      expect(sending.begin('b', other, reader())).toBe(false);
      one.emit('close');
    }
    expect(sending.begin('b', other, reader())).toBe(true);
  });

  it('counts none for a caller that has left already', () => {
    const sending = createSending(100);
    expect(sending.begin('a', Buffer.alloc(80), reader(true))).toBe(true);
    expect(sending.begin('b', Buffer.alloc(80), reader())).toBe(true);
  });
});
