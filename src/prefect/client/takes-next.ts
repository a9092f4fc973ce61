// Which servers take the credential that comes: asked one by one, with that one alone.
import type { Config } from '../../config/config.ts';
import { createUpstream } from './upstream.ts';

export interface TakesNext {
  everywhere(): Promise<boolean>;
  anywhere(): Promise<boolean>;
  close(): Promise<void>;
}

const ANSWER_MS = 5000;

export function takesNext(prefect: Config['prefect']): TakesNext {
  const alone = prefect.apiKey === null ? { authString: prefect.next } : { apiKey: prefect.next };
  const clients = prefect.servers.map((server) =>
    createUpstream({ ...prefect, ...alone, next: null, servers: [server], publicUrl: null, connectTimeoutMs: 1000, answerTimeoutMs: ANSWER_MS }),
  );
  // Not /api/health, which Prefect answers to everybody.
  const look = (): Promise<readonly boolean[]> =>
    Promise.all(
      clients.map(async (client) => {
        try {
          return (await client.request({ method: 'GET', path: '/api/admin/version' })).status === 200;
        } catch {
          return false; // away, or it refuses
        }
      }),
    );
  return {
    everywhere: async () => prefect.next !== null && (await look()).every(Boolean),
    anywhere: async () => prefect.next !== null && (await look()).some(Boolean),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}
