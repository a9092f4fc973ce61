// Discovery for clients of the authorization server: metadata and keys.
import type { FastifyInstance } from 'fastify';
import { wellKnownPaths } from '../../contract/names.ts';
import { mcpResourceMetadata, resourceMetadata, serverMetadata } from '../../identity/oauth/metadata.ts';
import type { RouteParts } from './parts.ts';

/** Public, and the same for all clients. They see a rotation of keys after at most this time. */
const CACHE = 'public, max-age=300';

export function registerWellKnown(app: FastifyInstance, { config, authorizationServer }: RouteParts): void {
  const { publicUrl } = config;
  const paths = wellKnownPaths(publicUrl.basePath);
  const publish = (at: readonly string[], metadata: unknown): void => {
    const text = JSON.stringify(metadata);
    for (const path of at) app.get(path, (_request, reply) => reply.header('cache-control', CACHE).type('application/json').send(text));
  };
  publish(paths.server, serverMetadata(publicUrl));
  publish(paths.resource, resourceMetadata(publicUrl));
  publish(paths.mcpResource, mcpResourceMetadata(publicUrl));
  for (const path of paths.keySets) {
    app.get(path, async (_request, reply) =>
      reply
        .header('cache-control', CACHE)
        .type('application/json')
        .send(JSON.stringify({ keys: await authorizationServer.signingKeys.published() })),
    );
  }
}
