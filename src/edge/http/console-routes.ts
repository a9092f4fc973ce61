// The console: its page, with a new nonce for each answer, and its files.
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import { sendPage, sendRefusal, sendRefusalOrPage, wantsPage } from './answers.ts';
import { type ConsoleFile, type ConsoleFiles, consoleFiles } from './console-files.ts';
import type { RouteParts } from './parts.ts';
import { sessionOf } from './session-of.ts';
import { redirectToLogin } from './to-login.ts';

/** `files`: for tests. */
export function registerConsole(app: FastifyInstance, parts: RouteParts, files: () => ConsoleFiles | undefined = consoleFiles()): void {
  const base = `${parts.prefix}/console`;
  app.get(base, (_request, reply) => reply.code(308).header('location', `${base}/`).send());
  app.get<{ Params: { name: string } }>(`${base}/assets/:name`, (request, reply) => {
    const file = files()?.assets.get(request.params.name);
    return file === undefined ? sendRefusalOrPage(request, reply, { pages: parts.pages, code: 'not-found' }) : sendFile(request, reply, file);
  });
  app.get(`${base}/*`, (request, reply) => showConsole(request, reply, { parts, base, files: files() }));
}

interface Shown {
  readonly parts: RouteParts;
  readonly base: string;
  readonly files: ConsoleFiles | undefined;
}

/** Every address of the console is one page: its script reads the rest of the address. */
async function showConsole(request: FastifyRequest, reply: FastifyReply, { parts, base, files }: Shown): Promise<FastifyReply> {
  if ((await sessionOf(request, parts)) === undefined)
    return wantsPage(request) ? await redirectToLogin(request, reply, parts) : sendRefusal(request, reply, 'credential-missing');
  if (files === undefined) return sendPage(reply, parts.pages, { status: 503, html: notBuilt(request, parts) });
  const nonce = randomBytes(18).toString('base64url');
  return reply.headers(pageHeaders(nonce)).send(files.page.replaceAll('@BASE@', base).replaceAll('@NONCE@', nonce));
}

function notBuilt(request: FastifyRequest, { pages }: RouteParts): string {
  return pages.message({
    title: 'The console is not built',
    text: 'This gateway runs from a checkout without console/dist.',
    hint: 'Run "npm run console" there, then load this page again.',
    code: 'console-not-built',
    requestId: parseEdgeInputs(request.headers).requestId,
  });
}

/** A name contains a hash of the content, so a browser asks for it once. The files contain nothing secret and need no session. */
function sendFile(request: FastifyRequest, reply: FastifyReply, { type, bytes, encoded }: ConsoleFile): FastifyReply {
  reply.headers({ 'cache-control': 'public, max-age=31536000, immutable', 'cross-origin-resource-policy': 'same-origin', vary: 'accept-encoding' });
  const [encoding, body] = [...encoded].find(([name]) => accepts(request, name)) ?? [undefined, bytes];
  if (encoding !== undefined) reply.header('content-encoding', encoding);
  return reply.type(type).send(body);
}

/** Not `*`: a client that names no encoding gets none. */
function accepts(request: FastifyRequest, encoding: string): boolean {
  const accepted = String(request.headers['accept-encoding'] ?? '').split(',');
  return accepted
    .map((each) =>
      each
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    )
    .some(([name, quality = 'q=1']) => name === encoding && !/^q=0(?:\.0*)?$/.test(quality));
}

/** Scripts: the first one by its nonce, and what it loads. No script may write HTML, so there is no Trusted Types policy. */
function pageHeaders(nonce: string): Readonly<Record<string, string>> {
  const rules = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}' 'strict-dynamic'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': rules.join('; '),
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    // As on the other pages: a form without a referrer would say "Origin: null".
    'referrer-policy': 'same-origin',
    'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
  };
}
