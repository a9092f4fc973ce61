// The names and addresses of public_url that the self-made certificate is valid for.
import { isIP } from 'node:net';
import type { PublicUrl } from '../config.ts';
import { isLoopback } from '../sections/public-url.ts';

export type Host = { readonly kind: 'name'; readonly name: string } | { readonly kind: 'address'; readonly text: string; readonly bytes: Uint8Array };

/** The edge serves localhost by its addresses as well (src/edge/nginx/render-servers.ts). */
export function certificateHosts({ hostname }: Pick<PublicUrl, 'hostname'>): readonly Host[] {
  const own = parseHost(hostname);
  if (!isLoopback(hostname)) return [own];
  const all = [own, ...['localhost', '127.0.0.1', '[::1]'].map(parseHost)];
  return all.filter((host, index) => all.findIndex((other) => hostText(other) === hostText(host)) === index);
}

export function hostText(host: Host): string {
  return host.kind === 'name' ? host.name : host.text;
}

function parseHost(hostname: string): Host {
  const bare = hostname.replace(/^\[|\]$/g, '');
  if (isIP(bare) === 4) return { kind: 'address', text: bare, bytes: Uint8Array.from(bare.split('.'), Number) };
  return isIP(bare) === 6 ? { kind: 'address', text: bare, bytes: bytesOfIpv6(bare) } : { kind: 'name', name: bare };
}

/** Expects an address as `URL` writes it: groups of hexadecimal digits, at most one `::`. */
function bytesOfIpv6(text: string): Uint8Array {
  const [head = '', tail = ''] = text.split('::');
  const groups = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const [front, back] = [groups(head), groups(tail)];
  const all = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}
