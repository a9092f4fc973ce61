// Signs with this machine's AWS credentials, from AWS's usual chain: environment, profile, container, instance.
import type { SignatureV4 } from '@smithy/signature-v4';
import type { ServiceSigv4 } from '../../../config/service.ts';
import { Sha256 } from '../../../contract/aws-hash.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import type { Signer } from './sigv4.ts';

export interface AwsSignerParts {
  /** For the date of a signature. */
  readonly clock: Clock;
  readonly steady: SteadyClock;
  /** For the log. Contains no secret. */
  readonly onTrouble: (what: string) => void;
  /** Another one in tests. */
  readonly load?: typeof loadLibraries;
}

/** The pause after a failure: the metadata address of an instance answers late or never. */
const PAUSE_MS = 5_000;

export function createAwsSigner(sigv4: ServiceSigv4, { clock, steady, onTrouble, load = loadLibraries }: AwsSignerParts): Signer {
  let opening: Promise<SignatureV4> | undefined;
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  /** A failure to open it, such as no free file, does not stop the next call from trying. */
  const open = async (): Promise<SignatureV4 | undefined> => {
    opening ??= openSigner(sigv4, load);
    try {
      return await opening;
    } catch (error) {
      opening = undefined;
      onTrouble(wordFor(error));
      return undefined;
    }
  };
  return async ({ method, host, path, query, headers, body }) => {
    if (steady() < notBeforeMs) return undefined;
    const signer = await open();
    if (signer === undefined) return undefined;
    try {
      const queryOf = Object.fromEntries(Object.entries(query).map(([name, values]) => [name, [...values]]));
      const request = { method, protocol: 'https:', hostname: host, path, query: queryOf, headers: { ...headers, host }, body };
      const signed = await signer.sign(request, { signingDate: new Date(clock()) });
      return signed.headers;
    } catch (error) {
      notBeforeMs = steady() + PAUSE_MS;
      onTrouble(wordFor(error));
      return undefined;
    }
  };
}

/** They are large, and only this signer needs them. */
async function loadLibraries() {
  const [{ SignatureV4: Signature }, { defaultProvider }] = await Promise.all([import('@smithy/signature-v4'), import('@aws-sdk/credential-provider-node')]);
  return { Signature, defaultProvider };
}

async function openSigner({ region, service, profile }: ServiceSigv4, load: typeof loadLibraries): Promise<SignatureV4> {
  const { Signature, defaultProvider } = await load();
  const credentials = defaultProvider(profile === null ? {} : { profile });
  // S3 expects the path as it is sent. All other services encode it once more.
  return new Signature({ region, service, credentials, sha256: Sha256, uriEscapePath: service !== 's3' });
}

/** A message may quote a profile's contents. */
function wordFor(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
