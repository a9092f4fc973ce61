// What stands in for a Kubernetes API and a Docker engine: it answers as far as stock workers ask, starts nothing, and keeps what was sent.

import { createServer } from 'node:http';
import { listenOnLoopback } from './listen.ts';

export interface Creation {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

export interface Infrastructure {
  readonly port: number;
  /** Everything that was to be made, in order. */
  created(): readonly Creation[];
  /** Each request as `METHOD PATH`. */
  asked(): readonly string[];
  close(): Promise<void>;
}

export async function startInfrastructure(): Promise<Infrastructure> {
  const created: Creation[] = [];
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { method = '', url = '' } = request;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      asked.push(`${method} ${url}`);
      const body = bodyOf(Buffer.concat(chunks));
      if (method === 'POST' && body !== undefined) created.push({ path: url, body });
      const { status, answer } = answerTo(method, url, body);
      response.writeHead(status, { 'content-type': 'application/json', 'api-version': '1.47' }).end(answer === null ? '' : JSON.stringify(answer));
    });
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    created: () => created,
    asked: () => asked,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Answer {
  readonly status: number;
  readonly answer: object | null;
}

/** A job or secret is there when it was made, and never begins; a container exists, and its start fails. */
function answerTo(method: string, url: string, body: Record<string, unknown> | undefined): Answer {
  if (url.includes('/containers/create')) return { status: 201, answer: { Id: 'c'.repeat(64), Warnings: [] } };
  if (method === 'POST' && url.startsWith('/apis/batch/')) return { status: 201, answer: named(body) };
  if (method === 'POST' && url.startsWith('/api/v1/namespaces/')) return { status: 201, answer: named(body) };
  if (/\/version$/.test(url)) return { status: 200, answer: { ApiVersion: '1.47', MinAPIVersion: '1.24', Version: '27.0.0', Os: 'linux' } };
  if (/\/images\/.*json/.test(url)) return { status: 200, answer: { Id: 'sha256:1', RepoTags: ['x:latest'] } };
  if (/\/containers\/c+\/json/.test(url)) return { status: 200, answer: { Id: 'c'.repeat(64), Name: '/x', State: { Status: 'created' }, Config: {} } };
  return { status: 404, answer: { kind: 'Status', status: 'Failure', message: 'there is none', reason: 'NotFound', code: 404 } };
}

function named(body: Record<string, unknown> | undefined): object {
  const metadata = (body?.['metadata'] ?? {}) as Record<string, unknown>;
  return { ...body, metadata: { uid: '0', ...metadata, name: metadata['name'] ?? `${String(metadata['generateName'] ?? 'x')}1`, namespace: 'default' } };
}

function bodyOf(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
