// What nginx needs for the servers of a service: names, and TLS.
import type { Service } from '../../config/service.ts';
import { quote, quotePath } from './quote.ts';
import { SYSTEM_CA_FILE } from './render-upstream.ts';

/** A name for nginx variables, which have no hyphens. Unique, because no service name has an underscore. */
export function inVariables({ name }: Pick<Service, 'name'>): string {
  return name.replaceAll('-', '_');
}

/** The files of a service. Neither service names nor hand-written parts have an underscore, so no file can replace another. */
export function fileOf({ name }: Pick<Service, 'name'>, what?: 'credential'): string {
  return what === undefined ? `service_${name}.conf` : `service_${name}_${what}.conf`;
}

/** The upstream for calls that bypass the service proxy. */
export function callsGroup(service: Pick<Service, 'name'>): string {
  return `lictor_service_${inVariables(service)}`;
}

/** How nginx chooses the next server. All workers share the counts, or choose the same server. */
export function renderBalance({ balance }: Pick<Service, 'balance'>, group: string): string {
  const ways = {
    round_robin: '',
    least_connections: `    zone ${group} 64k;\n    least_conn;\n`,
    hash_by_run: '    hash $lictor_limit consistent;\n',
  };
  return ways[balance];
}

/** nginx verifies the certificate against the name of this server. */
export function renderTls({ caFile, certificate }: Service, origin: string): string {
  const own =
    certificate === null ? '' : `proxy_ssl_certificate ${quotePath(certificate.certFile)};\nproxy_ssl_certificate_key ${quotePath(certificate.keyFile)};\n`;
  return `proxy_ssl_verify on;
proxy_ssl_verify_depth 4;
proxy_ssl_server_name on;
proxy_ssl_name ${quote(new URL(origin).hostname)};
proxy_ssl_protocols TLSv1.2 TLSv1.3;
proxy_ssl_trusted_certificate ${quotePath(caFile ?? SYSTEM_CA_FILE)};
${own}`;
}
