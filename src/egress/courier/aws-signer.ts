// Signs with the credentials that AWS gives this machine: its usual chain of environment, profile, container and instance.
import type { ServiceSigv4 } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import { Sha256 } from '../../sidecar/sources/sigv4-hash.ts';
import type { Signer } from './sigv4.ts';

export interface AwsSignerParts {
  readonly clock: Clock;
  /** For the log; holds no secret. */
  readonly onTrouble: (what: string) => void;
}

/** Where there were no credentials, nobody is asked again for so long: the instance's own address answers late or never. */
const PAUSE_MS = 5_000;

export function createAwsSigner({ region, service, profile }: ServiceSigv4, { clock, onTrouble }: AwsSignerParts): Signer {
  let opened: ReturnType<typeof open> | undefined;
  let notBeforeMs = 0;
  const open = async () => {
    // The libraries are heavy, and only this needs them.
    const [{ SignatureV4 }, { defaultProvider }] = await Promise.all([import('@smithy/signature-v4'), import('@aws-sdk/credential-provider-node')]);
    const credentials = defaultProvider(profile === null ? {} : { profile });
    // S3 reads a path as it is sent; all others encode it once more.
    return new SignatureV4({ region, service, credentials, sha256: Sha256, uriEscapePath: service !== 's3' });
  };
  return async ({ method, host, path, query, headers, body }) => {
    if (clock() < notBeforeMs) return undefined;
    try {
      opened ??= open();
      const queryOf = Object.fromEntries(Object.entries(query).map(([name, values]) => [name, [...values]]));
      const request = { method, protocol: 'https:', hostname: host, path, query: queryOf, headers: { ...headers, host }, body };
      const signed = await (await opened).sign(request, { signingDate: new Date(clock()) });
      return signed.headers;
    } catch (error) {
      notBeforeMs = clock() + PAUSE_MS;
      // A message may quote a profile's contents.
      onTrouble(error instanceof Error ? error.name : 'unknown error');
      return undefined;
    }
  };
}
