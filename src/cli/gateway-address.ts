// Chooses the gateway and the transport, for commands that also run on other machines than the gateway's.
import { bundleFile, trustedAuthorities } from '../config/authorities.ts';
import { loadConfig } from '../config/load.ts';
import type { CliContext, GlobalOptions } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { type GatewayAddress, parseGatewayUrl } from './sidecar/gateway-url.ts';
import { createTransport, type Transport } from './sidecar/transport.ts';

export interface Naming {
  /** The name of the option or argument: `--url`, `URL`. */
  readonly name: string;
  readonly url: string | undefined;
  /** The gateway of the last login. Left out: the command ignores it. */
  readonly remembered?: string | null;
  /** The error if no gateway is named. Left out: the command asks for one. */
  readonly unnamed?: string | undefined;
}

export function chooseGateway(context: CliContext, { config }: GlobalOptions, { name, url, remembered, unnamed }: Naming): GatewayAddress {
  const named = [
    [name, url],
    ['public_url', config === undefined ? undefined : publicUrl(context)],
    ['LICTOR_URL', context.env['LICTOR_URL']],
    ['PREFECT_API_URL', context.env['PREFECT_API_URL']],
    ['The last login', remembered ?? undefined],
    ['public_url', publicUrl(context)],
  ].find((place): place is [string, string] => place[1] !== undefined && place[1] !== '');
  if (named === undefined && unnamed !== undefined) throw new CommandFailed(unnamed);
  if (named === undefined)
    throw new UsageError(`Which gateway? Say ${name === 'URL' ? '' : `${name} `}https://prefect.example.com, or set LICTOR_URL or PREFECT_API_URL.`);
  const [place, text] = named;
  const parsed = parseGatewayUrl(text);
  if (!parsed.ok) throw new UsageError(`${place} ${parsed.problem}`);
  return parsed.address;
}

/** From the configuration, on the gateway's machine. */
function publicUrl(context: CliContext): string | undefined {
  const loaded = loadConfig(context.configFile(), context.env, { stateDir: context.stateDir(), secrets: 'skip' });
  return loaded.ok ? `${loaded.config.publicUrl.origin}${loaded.config.publicUrl.basePath}` : undefined;
}

export function openTransport({ env }: CliContext): Transport {
  const file = bundleFile(env);
  const authorities = trustedAuthorities(env);
  if (file !== undefined && authorities.length === 0) throw new UsageError(`${file} (PREFECT_API_SSL_CERT_FILE or SSL_CERT_FILE) cannot be read.`);
  try {
    return createTransport({ authorities, env });
  } catch (cause) {
    // The message omits the address of the proxy, because it may hold a password.
    throw new UsageError(`HTTP_PROXY or HTTPS_PROXY holds no address of a proxy (${cause instanceof Error ? cause.name : 'unreadable'}).`);
  }
}
