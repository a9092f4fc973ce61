// Probes which servers accept the next credential of a rotation, each server separately and only with that credential.
import type { Config } from '../../config/config.ts';
import { createUpstream } from './upstream.ts';

export interface NextCredentialProbe {
  everywhere(): Promise<boolean>;
  anywhere(): Promise<boolean>;
  close(): Promise<void>;
}

const ANSWER_MS = 5000;

export function createNextCredentialProbe(prefect: Config['prefect']): NextCredentialProbe {
  const alone = prefect.apiKey === null ? { authString: prefect.next } : { apiKey: prefect.next };
  const clients = prefect.servers.map((server) =>
    createUpstream({ ...prefect, ...alone, next: null, servers: [server], publicUrl: null, connectTimeoutMs: 1000, answerTimeoutMs: ANSWER_MS }),
  );
  // Not /api/health, which Prefect answers without a credential.
  const probe = (): Promise<readonly boolean[]> =>
    Promise.all(
      clients.map(async (client) => {
        try {
          return (await client.request({ method: 'GET', path: '/api/admin/version' })).status === 200;
        } catch {
          return false; // the server is away, or rejects the credential
        }
      }),
    );
  return {
    everywhere: async () => prefect.next !== null && (await probe()).every(Boolean),
    anywhere: async () => prefect.next !== null && (await probe()).some(Boolean),
    close: async () => void (await Promise.all(clients.map((client) => client.close()))),
  };
}
