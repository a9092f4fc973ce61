// Discovery for clients of the authorization server: metadata and keys.
import type { FastifyInstance } from 'fastify';
import { wellKnownPaths } from '../../contract/names.ts';
import { resourceMetadata, serverMetadata } from '../../identity/oauth/metadata.ts';
import type { RouteParts } from './parts.ts';

/** Public, and the same for all clients. They see a rotation of keys after at most this time. */
const CACHE = 'public, max-age=300';

export function registerWellKnown(app: FastifyInstance, { config, authorizationServer }: RouteParts): void {
  const { publicUrl } = config;
  const paths = wellKnownPaths(publicUrl.basePath);
  const server = JSON.stringify(serverMetadata(publicUrl));
  const resource = JSON.stringify(resourceMetadata(publicUrl));
  for (const path of paths.server) app.get(path, (_request, reply) => reply.header('cache-control', CACHE).type('application/json').send(server));
  for (const path of paths.resource) app.get(path, (_request, reply) => reply.header('cache-control', CACHE).type('application/json').send(resource));
  for (const path of paths.keySets) {
    app.get(path, async (_request, reply) =>
      reply
        .header('cache-control', CACHE)
        .type('application/json')
        .send(JSON.stringify({ keys: await authorizationServer.signingKeys.published() })),
    );
  }
}
