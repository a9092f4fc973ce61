// What a hostile service answers to a handshake: nothing of it reaches the client.
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { HandshakeAnswer, SocketService } from '../../env/socket-service.ts';

export interface HostileParts {
  readonly service: () => SocketService;
  readonly ask: (path: string, headers?: Record<string, string>) => Promise<HandshakeAnswer>;
}

const MARK = 'of-the-service';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';

function acceptOf({ headers }: IncomingMessage): string {
  const text = createHash('sha1').update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `Sec-WebSocket-Accept: ${text}\r\n`;
}

const say =
  (text: (request: IncomingMessage) => string) =>
  (socket: Socket, request: IncomingMessage): void =>
    void socket.end(Buffer.from(text(request), 'latin1'));

const REFUSED = [
  ['a wrong accept', say(() => `${SWITCH}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n${MARK}`)],
  ['no accept', say(() => `${SWITCH}\r\n${MARK}`)],
  ['two accepts', say((request) => `${SWITCH}${acceptOf(request)}${acceptOf(request)}\r\n${MARK}`)],
  ['a protocol that nobody offered', say((request) => `${SWITCH}${acceptOf(request)}Sec-WebSocket-Protocol: three\r\n\r\n${MARK}`)],
  ['an extension', say((request) => `${SWITCH}${acceptOf(request)}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n${MARK}`)],
  ['an upgrade to something else', say((request) => `${SWITCH.replace('websocket', 'h2c')}${acceptOf(request)}\r\n${MARK}`)],
  ['200', say(() => `HTTP/1.1 200 OK\r\nX-Mark: ${MARK}\r\nContent-Length: ${MARK.length}\r\n\r\n${MARK}`)],
  ['a redirect', say(() => `HTTP/1.1 302 Found\r\nLocation: http://evil.example/${MARK}\r\nContent-Length: 0\r\n\r\n`)],
  ['401', say(() => `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="${MARK}"\r\nContent-Length: 0\r\n\r\n`)],
  ['garbage', say(() => `\x16\x03\x01${MARK}`)],
  ['HTTP/0.9 in words', say(() => `HTTP/0.9 101 Switching Protocols\r\n\r\n${MARK}`)],
  ['a head without end', say(() => `${SWITCH}X-Mark: ${MARK.repeat(5_000)}\r\n`)],
] as const;

export function hostileTests({ service, ask }: HostileParts): void {
  describe('what a hostile service answers', () => {
    it.each(REFUSED)('%s: 502, and nothing of it arrives', async (_what, answer) => {
      service().answer = answer;
      const refused = await ask('/live/v1/x', { 'sec-websocket-protocol': 'one, two' });
      expect(refused).toMatchObject({ status: 502, code: 'service-socket-refused' });
      expect(JSON.stringify(refused)).not.toContain(MARK);
      expect(service().seen).toHaveLength(1);
    });

    it.each([
      ['nothing, and the end', (socket: Socket): void => void socket.destroy(), 'service-unavailable'],
      ['nothing at all', (): void => undefined, 'service-timeout'],
      ['a head that never ends, letter by letter', drip, 'service-timeout'],
    ])('%s: 503', async (_what, answer, code) => {
      service().answer = answer;
      expect(await ask('/live/v1/x')).toMatchObject({ status: 503, code, headers: { 'retry-after': expect.any(String) } });
    });

    it('frames behind its handshake arrive, interim answers before it do not', async () => {
      service().answer = say((request) => `HTTP/1.1 103 Early Hints\r\nLink: <${MARK}>\r\n\r\n${SWITCH}${acceptOf(request)}Set-Cookie: ${MARK}\r\n\r\n`);
      const opened = await ask('/live/v1/x');
      expect(opened.status).toBe(101);
      expect(JSON.stringify(opened)).not.toContain(MARK);
    });
  });
}

function drip(socket: Socket): void {
  socket.write(SWITCH);
  const timer = setInterval(() => socket.write('x'), 50);
  socket.once('close', () => clearInterval(timer));
}
