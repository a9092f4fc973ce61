// Early data of a client before its 101 is read in order, and is not lost.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { attend } from './attend.ts';

const open = (head: string) => {
  const socket = new PassThrough();
  // The request is returned and never read here.
  const request = {} as unknown as IncomingMessage;
  return { socket, attended: attend({ request, socket, head: Buffer.from(head) }) };
};

it('returns the bytes of the upgrade and later ones', async () => {
  const { socket, attended } = open('one ');
  socket.write('two ');
  await new Promise((resolve) => setImmediate(resolve));
  socket.write('three');
  await new Promise((resolve) => setImmediate(resolve));
  expect(String(attended.end()?.head)).toBe('one two three');
});

it('twin: returns nothing of a client that has left', async () => {
  const { socket, attended } = open('one ');
  socket.end('two');
  await attended.left;
  expect(attended.end()).toBeUndefined();
});

it('does not report a client that leaves after the end of the wait', async () => {
  const { socket, attended } = open('one ');
  const reported: string[] = [];
  void attended.left.then(() => reported.push('left'));
  attended.end();
  socket.destroy();
  await once(socket, 'close');
  await new Promise((resolve) => setImmediate(resolve));
  expect(reported).toEqual([]);
});
