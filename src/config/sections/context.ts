// What a section needs to know: where files are, and the values of other sections.
import { z } from 'zod';
import type { ListenAddress, PublicUrl } from '../config.ts';
import { isRecord } from '../expand.ts';
import { slug } from '../schema/scalars.ts';
import { listenSection, parsePlainUrl, publicUrlSection } from './public-url.ts';

export interface Files {
  /** Relative paths in the file are below it. */
  readonly baseDir: string;
  /** Relative store paths are below it. */
  readonly stateDir: string;
  /** `skip`: Lictor opens no file with a secret or a private key. */
  readonly secrets: 'read' | 'skip';
}

export interface Context extends Files {
  /** Undefined: missing or broken. */
  readonly publicUrl: PublicUrl | undefined;
  readonly listen: readonly ListenAddress[];
  readonly tlsEndsInFront: boolean;
  /** Client certificates are requested, or meant to be. */
  readonly asksCertificates: boolean;
  /** Origins. */
  readonly prefectServers: readonly string[];
  /** Undefined: broken. */
  readonly providers: readonly ProviderOutline[] | undefined;
  /** Names; undefined: broken. */
  readonly services: readonly string[] | undefined;
  /** Undefined: broken. */
  readonly agents: readonly AgentOutline[] | undefined;
  /** Ids; undefined: broken. */
  readonly oauthClients: readonly string[] | undefined;
  readonly metricsListen: string | undefined;
}

export interface AgentOutline {
  readonly name: string;
  readonly credential?: string | undefined;
}

export interface ProviderOutline {
  readonly id: string;
  readonly type: string;
  readonly issuer?: string | undefined;
}

/** Each part alone, if it is sound. Its section reports its problems. */
export function contextOf(data: unknown, files: Files): Context {
  const outline = OUTLINE.parse(isRecord(data) ? data : {});
  const { tls, prefect, metrics, identity_providers: providers, services, agents, oauth_clients: oauthClients } = outline;
  const tlsEndsInFront = outline.tls_terminated_upstream === true;
  const publicUrl = publicUrlSection.safeParse(outline.public_url).data;
  return {
    ...files,
    publicUrl,
    listen: listenSection({ publicUrl, tlsEndsInFront }).safeParse(outline.listen).data ?? [],
    tlsEndsInFront,
    asksCertificates: tls?.client_ca !== undefined || tls?.client_crl !== undefined,
    prefectServers: [prefect?.url, ...(prefect?.servers ?? [])].flatMap((url) => parsePlainUrl(url ?? '')?.origin ?? []),
    providers,
    services: services?.map(({ name }) => name),
    agents,
    oauthClients: oauthClients?.map(({ id }) => id),
    metricsListen: metrics?.listen,
  };
}

const OUTLINE = z.object({
  public_url: z.unknown().optional(),
  listen: z.unknown().optional(),
  tls_terminated_upstream: z.unknown().optional(),
  tls: z.object({ client_ca: z.unknown().optional(), client_crl: z.unknown().optional() }).optional().catch(undefined),
  prefect: z
    .object({ url: z.string().optional(), servers: z.array(z.string()).optional() })
    .optional()
    .catch(undefined),
  identity_providers: listOf(z.object({ id: slug, type: z.string(), issuer: z.string().optional() })),
  services: listOf(z.object({ name: slug })),
  agents: listOf(z.object({ name: z.string(), credential: z.string().optional() })),
  oauth_clients: listOf(z.object({ id: z.string() })),
  metrics: z.object({ listen: z.string() }).optional().catch(undefined),
});

/** Empty: not given. Undefined: broken. */
function listOf<T extends z.ZodType>(item: T) {
  return z
    .array(item)
    .prefault([])
    .or(z.unknown().transform(() => undefined));
}
