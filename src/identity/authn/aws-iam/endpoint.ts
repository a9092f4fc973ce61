// The STS endpoints of the configuration's regions. A request cannot name another endpoint.
import type { AwsIamProvider } from '../../../config/config.ts';

export interface Endpoint {
  /** With a slash at the end. */
  readonly url: string;
  /** For the header `Host`. */
  readonly host: string;
}

/** The global endpoint uses this region in signatures. */
const GLOBAL_REGION = 'us-east-1';

/** Undefined: Lictor accepts no signatures for this region. */
export function endpointIn({ regions, stsEndpoint }: Pick<AwsIamProvider, 'regions' | 'stsEndpoint'>, region: string): Endpoint | undefined {
  const allowed = regions.length === 0 ? [GLOBAL_REGION] : regions;
  if (!allowed.includes(region)) return undefined;
  const { host, origin } = new URL(stsEndpoint ?? `https://${regions.length === 0 ? 'sts.amazonaws.com' : regionalHost(region)}`);
  return { url: `${origin}/`, host };
}

function regionalHost(region: string): string {
  return `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
