// The servers of Prefect as this machine reaches them, and the checks for ways past the gateway.
import { trustedAuthorities } from '../../../config/authorities.ts';
import type { Config } from '../../../config/config.ts';
import type { Environment } from '../../../config/load.ts';
import { credentialsOf } from '../../../prefect/client/members.ts';
import type { Check } from '../finding.ts';
import { probe } from './http-probe.ts';
import { addressesOf, checkOtherAddresses } from './other-addresses.ts';
import { upstreamTrust } from './trust.ts';
import { checkBackDoor, type UpstreamSubject } from './upstream.ts';

export interface Upstreams {
  readonly config: Pick<Config, 'prefect'>;
  readonly env: Environment;
}

export function upstreamSubjects({ config, env }: Upstreams): readonly UpstreamSubject[] {
  const tls = upstreamTrust(trustedAuthorities(env), config.prefect.caFile);
  const { authorization } = credentialsOf(config.prefect)[0];
  return config.prefect.servers.map((url) => ({ url, authorization, tls, probe }));
}

export function bypassChecks(subject: UpstreamSubject): readonly [Check, Check] {
  return [
    { group: 'upstream', name: 'bypass', run: () => checkBackDoor(subject) },
    { group: 'upstream', name: 'other-addresses', run: () => checkOtherAddresses(subject, addressesOf()) },
  ];
}
