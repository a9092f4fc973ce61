// Calls of services at public_url: the gateway must deny these, under any policy. None of them reaches a service.
import type { Config } from '../../../config/config.ts';
import type { Service } from '../../../config/service.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { SERVICES_PREFIX } from '../../../contract/service-call.ts';
import { fail, ok, type Verdict } from '../finding.ts';
import { baseOf, type Door } from './door.ts';
import { jsonField, type Probe, type ProbeRequest } from './http-probe.ts';

/** No service can list this method (src/config/sections/service-routes.ts), so the gateway denies it to an authenticated principal. */
const UNLISTED = 'REPORT';
const UNLISTED_CODE: ReasonCode = 'service-route-unknown';
/** The gateway gives this code only to an authenticated principal. */
const UNKNOWN_CODE: ReasonCode = 'service-unknown';

/** The gateway rejects it before it authenticates. So the answer shows whether an Upgrade header arrives. */
const NO_HANDSHAKE = { connection: 'Upgrade', upgrade: 'websocket' };

/** `authorised` null: checks only requests without a credential. */
export async function checkServiceDoor(
  { publicUrl, probe }: Door,
  services: Config['services'],
  authorised: Pick<ProbeRequest, 'headers' | 'tls'> | null,
): Promise<readonly Verdict[]> {
  if (services.length === 0) return [];
  const judged = await Promise.all(
    services.map(async ({ name, sockets }) => {
      const url = `${baseOf(publicUrl)}${SERVICES_PREFIX}${name}/lictor-doctor`;
      const stranger = judgeStranger(url, await probe({ url })) ?? (sockets ? judgeUpgrade(url, await probe({ url, headers: NO_HANDSHAKE })) : undefined);
      return stranger ?? (authorised === null ? undefined : judgeKnown(url, await probe({ url, method: UNLISTED, ...authorised })));
    }),
  );
  const problems = judged.filter((verdict) => verdict !== undefined);
  return problems.length > 0 ? problems : [denied(services, authorised !== null)];
}

function denied(services: readonly Service[], known: boolean): Verdict {
  const names = services.map(({ name }) => name).join(', ');
  return ok(`calls of ${names}: denied without a credential (401)${known ? ', and outside of services[].allow (403)' : ''}`);
}

function judgeStranger(url: string, answer: Probe): Verdict | undefined {
  if (!answer.ok) return away(url, answer.error);
  const code = jsonField(answer.body, 'code');
  if (answer.status === 401 && typeof code === 'string') return undefined;
  return fail(`${url} answers ${answer.status} without any credential, where the gateway would deny it (401)`, PAST);
}

function judgeKnown(url: string, answer: Probe): Verdict | undefined {
  if (!answer.ok) return away(url, answer.error);
  const code = jsonField(answer.body, 'code');
  if (answer.status === 403 && code === UNLISTED_CODE) return undefined;
  if (answer.status === 404 && code === UNKNOWN_CODE)
    return fail(`${url}: the running gateway does not know this service (404 ${code})`, 'Reload lictor.yaml with kill -HUP: docs/how-to/reload.md.');
  if (answer.status === 401) return fail(`${url} answers 401 to a valid credential`, 'A proxy in between drops X-Lictor-Token: forward it.');
  return fail(`${UNLISTED} ${url} answers ${answer.status}, where the gateway would deny it (403)`, PAST);
}

function judgeUpgrade(url: string, answer: Probe): Verdict | undefined {
  if (!answer.ok) return away(url, answer.error);
  const code = jsonField(answer.body, 'code');
  if (answer.status === 400 && code === 'socket-handshake') return undefined;
  if (code === 'service-upgrade')
    return fail(`${url}: the running gateway allows no sockets to this service`, 'Reload lictor.yaml with kill -HUP: docs/how-to/reload.md.');
  if (answer.status === 401 && typeof code === 'string')
    return fail(
      `${url}: a proxy dropped the Upgrade header`,
      'Enable WebSockets in the load balancer or proxy in between. nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade".',
    );
  return fail(`${url} answers ${answer.status} to an invalid WebSocket handshake, where the gateway answers 400`, PAST);
}

const PAST = 'A proxy before the gateway forwards to the service and bypasses the gateway: point public_url, with /.lictor, only at the gateway.';

function away(url: string, error: string): Verdict {
  return fail(`${url} cannot be reached: ${error}`, 'See the other lines of public-url.');
}
