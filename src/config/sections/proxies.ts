// tls_terminated_upstream and trusted_proxies: the gateway behind another proxy, and whose word about a client's address counts.
import { isIP } from 'node:net';
import type { Config, PublicUrl } from '../config.ts';
import type { Report } from '../report.ts';
import type { WireSections } from '../schema/index.ts';

export interface ProxiesSection {
  readonly wire: WireSections;
  readonly publicUrl: PublicUrl | undefined;
}

/** Problems are reported; the answer is then not used. */
export function readProxies({ wire, publicUrl }: ProxiesSection, report: Report): Config['proxies'] {
  const terminated = wire.tls_terminated_upstream ?? false;
  const trusted = (wire.trusted_proxies ?? []).flatMap((text, index) => readNetwork(text, ['trusted_proxies', index], report));
  if (terminated && wire.trusted_proxies === undefined) {
    report(['trusted_proxies'], 'is missing beside tls_terminated_upstream', 'Name the addresses of the proxy in front: trusted_proxies: [10.0.0.0/8].');
  }
  if (terminated && wire.tls !== undefined) report(['tls'], 'stands beside tls_terminated_upstream', 'Keep one of the two: who ends TLS?');
  if (terminated && publicUrl?.secure === false) {
    report(['tls_terminated_upstream'], 'is true, though public_url is http', 'Write https:// in public_url: what clients type.');
  }
  if (terminated && wire.listen === undefined) {
    report(['listen'], 'is missing beside tls_terminated_upstream', 'Give the address that the proxy in front forwards to: listen: 127.0.0.1:8200.');
  }
  return { terminateTls: terminated, trusted };
}

/** An address or a network, as nginx's set_real_ip_from takes it. */
function readNetwork(text: string, keys: readonly PropertyKey[], report: Report): readonly string[] {
  const [address = '', prefix, ...more] = text.split('/');
  const family = isIP(address);
  const longest = family === 6 ? 128 : 32;
  const length = prefix === undefined ? longest : /^[0-9]{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (family === 0 || more.length > 0 || length < 0 || length > longest) {
    report(keys, 'must be an address or a network', 'Write it as 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32.');
    return [];
  }
  if (length === 0) {
    report(keys, 'trusts every client to name its own address', 'Name the addresses of the proxy in front alone.');
    return [];
  }
  return [text.toLowerCase()];
}
