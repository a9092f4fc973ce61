// The id of a request: 32 hexadecimal digits, the time in milliseconds first, so that the ledger's index of them grows at its end.
import { createHash } from 'node:crypto';
import { atLeast, type NginxVersion } from './version.ts';

/**
 * Time, node, the number of the request on its connection, the connection: the letter between the two numbers and the filling behind
 * them keep them apart. nginx's workers share one count of connections, so that no two requests of a node have all of these in common.
 * Nothing at random: that costs as much as a quarter of a plain proxied request. Before 1.19.7 nginx does not count the streams of an
 * HTTP/2 connection: there its own random digits follow the time. A map is computed once for a request and its subrequests.
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
