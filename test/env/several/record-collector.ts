// A collector that takes NDJSON of several nodes, each at its own path, or answers 503.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Batch {
  /** The node that sent it. */
  readonly by: string;
  /** `NODE SEQ` of each record. */
  readonly records: readonly string[];
}

export interface RecordCollector {
  urlFor(node: string): string;
  /** False: answers 503 from now on. */
  accept(isOpen: boolean): void;
  readonly taken: readonly Batch[];
  readonly refused: readonly Batch[];
  close(): void;
}

export async function startRecordCollector(): Promise<RecordCollector> {
  const [taken, refused]: [Batch[], Batch[]] = [[], []];
  let isOpen = true;
  const server = createServer(async (request, response) => {
    const lines = (await text(request)).trimEnd().split('\n');
    const records = lines.map((line): { node: string; seq: number } => JSON.parse(line)).map(({ node, seq }) => `${node} ${seq}`);
    (isOpen ? taken : refused).push({ by: request.url?.slice(1) ?? '', records });
    response.writeHead(isOpen ? 204 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ taken, refused },
    urlFor: (node) => `http://127.0.0.1:${port}/${node}`,
    accept(next) {
      isOpen = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
