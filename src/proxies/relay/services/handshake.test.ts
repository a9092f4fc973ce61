import { describe, expect, it } from 'vitest';
import { HANDSHAKE, INPUT } from '../../../contract/names.ts';
import { acceptFor, parseHandshake, renderSwitch } from './handshake.ts';

/** RFC 6455, 1.3. */
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const GOOD = {
  [HANDSHAKE.protocol]: 'HTTP/1.1',
  [HANDSHAKE.connection]: 'keep-alive, Upgrade',
  [INPUT.method]: 'GET',
  upgrade: 'WebSocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': KEY,
};

describe('a handshake', () => {
  it('is accepted in the form of the RFC, with its offers', () => {
    expect(parseHandshake(GOOD)).toEqual({ key: KEY, protocols: [] });
    expect(parseHandshake({ ...GOOD, [HANDSHAKE.framing]: '0', 'sec-websocket-protocol': 'one, two' })).toEqual({ key: KEY, protocols: ['one', 'two'] });
  });

  it.each([
    ['HTTP/1.0', { [HANDSHAKE.protocol]: 'HTTP/1.0' }],
    ['HTTP/2', { [HANDSHAKE.protocol]: 'HTTP/2.0' }],
    ['no word of its protocol', { [HANDSHAKE.protocol]: '' }],
    ['POST', { [INPUT.method]: 'POST' }],
    ['HEAD', { [INPUT.method]: 'HEAD' }],
    ['a body', { [HANDSHAKE.framing]: '5' }],
    ['a body in chunks', { [HANDSHAKE.framing]: 'chunked' }],
    ['two lengths', { [HANDSHAKE.framing]: '0, 0' }],
    ['no Connection', { [HANDSHAKE.connection]: '' }],
    ['another word in Connection', { [HANDSHAKE.connection]: 'upgrades' }],
    ['h2c', { upgrade: 'h2c' }],
    ['two upgrades', { upgrade: 'websocket, h2c' }],
    ['no version', { 'sec-websocket-version': '' }],
    ['two versions', { 'sec-websocket-version': '13, 8' }],
    ['no key', { 'sec-websocket-key': '' }],
    ['a key of 15 bytes', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25j' }],
    ['a key of 17 bytes', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZSE=' }],
    ['another spelling of the same key', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZR==' }],
    ['a key without its end', { 'sec-websocket-key': KEY.slice(0, -2) }],
    ['two keys', { 'sec-websocket-key': `${KEY}, ${KEY}` }],
    ['a protocol twice', { 'sec-websocket-protocol': 'one, one' }],
    ['an empty protocol', { 'sec-websocket-protocol': 'one,,two' }],
    ['a protocol that is no token', { 'sec-websocket-protocol': 'one two' }],
  ])('is not taken with %s', (_what, headers) => {
    expect(parseHandshake({ ...GOOD, ...headers })).toBeUndefined();
  });

  it('is answered with the proof and only the protocol', () => {
    expect(acceptFor(KEY)).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    const head = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n';
    expect(renderSwitch({ key: KEY, protocols: [] }, undefined)).toBe(`${head}\r\n`);
    expect(renderSwitch({ key: KEY, protocols: ['one'] }, 'one')).toBe(`${head}Sec-WebSocket-Protocol: one\r\n\r\n`);
  });
});
