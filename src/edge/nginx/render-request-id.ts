// The id of a request: 32 hexadecimal digits, the time in milliseconds first, so that the ledger's index of them grows at its end.
import { createHash } from 'node:crypto';
import { atLeast, type NginxVersion } from './version.ts';

/**
 * Time, node, number of the request on its connection, number of the connection. A letter and padding separate the two numbers. All workers of
 * nginx share one count of connections, so no two requests of a node have the same id. Random digits would cost a quarter of a plain proxied
 * request. nginx before 1.19.7 does not count the streams of an HTTP/2 connection: there, random digits follow the time. nginx computes the map
 * once for a request and its subrequests.
 */
export function renderRequestId(version: NginxVersion, node: string): string {
  const counted = atLeast(version, 1, 19, 7);
  const tag = counted ? createHash('sha256').update(node).digest('hex').slice(0, 4) : '';
  const rest = counted ? `\${connection_requests}a\${connection}${'f'.repeat(15)}` : '$request_id';
  return `    map "$msec${rest}" $lictor_request_id {
        "~^(.{10}).(.{3})(.{${19 - tag.length}})" $1$2${tag}$3;
        default $request_id;
    }
`;
}
