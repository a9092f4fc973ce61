// Which test files run together when a suite runs in parts beside each other: parts that end at about the same time.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds with three parts beside each other on two cores, by the path below test/. A file that is not here is short. */
const LONG: Readonly<Record<string, number>> = {
  'integration/stock-client.test.ts': 150,
  'integration/existing-server.test.ts': 146,
  'integration/doctor/faults.test.ts': 130,
  'integration/reload.test.ts': 110,
  'integration/restarts.test.ts': 86,
  'integration/run-tokens.test.ts': 140,
  'integration/services.test.ts': 70,
  'integration/service-cache.test.ts': 40,
  'integration/service-sockets.test.ts': 90,
  'integration/attacks/services.test.ts': 20,
  'integration/service-credentials.test.ts': 30,
  'integration/service-retries.test.ts': 15,
  'integration/attacks/raw-services.test.ts': 20,
  'integration/forward-proxy.test.ts': 60,
  'integration/attacks/run-tokens.test.ts': 120,
  'integration/events-feed.test.ts': 100,
  'integration/rotate-upstream.test.ts': 76,
  'integration/provenance.test.ts': 60,
  'integration/stock-configuration.test.ts': 70,
  'integration/public-path-stock.test.ts': 64,
  'integration/exec.test.ts': 59,
  'integration/old-clients.test.ts': 45,
  'integration/demo.test.ts': 45,
  'integration/public-path.test.ts': 45,
  'integration/cli-login.test.ts': 42,
  'integration/self-made.test.ts': 39,
  'integration/scopes.test.ts': 36,
  'integration/attacks/exhaustion.test.ts': 34,
  'integration/old-servers.test.ts': 30,
  'integration/services-client.test.ts': 85,
  'integration/scoped-lists.test.ts': 34,
  'integration/scoped-worker.test.ts': 40,
  'integration/scoped-attacks.test.ts': 35,
  'integration/attacks/overrides.test.ts': 15,
  'integration/mediated-configuration.test.ts': 25,
  'integration/client-certificates.test.ts': 26,
  'integration/refused-client.test.ts': 26,
  'integration/relay.test.ts': 25,
  'integration/doctor/certificates.test.ts': 18,
  'integration/attacks/sockets.test.ts': 18,
  'integration/attacks/sessions.test.ts': 17,
  'integration/evidence.test.ts': 35,
  'integration/kills.test.ts': 30,
  'integration/disk-full.test.ts': 40,
  'integration/ingest-lag.test.ts': 20,
  'integration/attacks/jwt.test.ts': 15,
  'integration/attacks/tokens.test.ts': 14,
  'integration/exports.test.ts': 45,
  'integration/metrics.test.ts': 15,
  'integration/traces.test.ts': 10,
  'integration/locks.test.ts': 13,
  'integration/roles.test.ts': 13,
  'e2e/ui.test.ts': 110,
  'e2e/ui-v1.test.ts': 35,
  'e2e/public-path.test.ts': 31,
  'e2e/run-feed.test.ts': 26,
};

const SHORT = 8;

/** Files that share a server which takes long to start. Each list is one piece of work. */
const TOGETHER: readonly { readonly files: readonly string[]; readonly seconds: number }[] = [
  {
    files: ['integration/exec-oidc.test.ts', 'integration/workloads.test.ts', 'integration/oidc.test.ts', 'integration/keycloak.test.ts'],
    seconds: 180,
  },
  { files: ['e2e/saml.test.ts', 'e2e/oidc.test.ts'], seconds: 120 },
];

/** The files in `count` parts; every file is in exactly one. The longest go first, each to the part that has least. Paths below test/. */
export function shares(files: readonly string[], count: number): readonly (readonly string[])[] {
  const grouped = new Set(TOGETHER.flatMap((group) => group.files));
  const pieces = [
    ...TOGETHER.map((group) => ({ files: group.files.filter((file) => files.includes(file)), seconds: group.seconds })),
    ...files.filter((file) => !grouped.has(file)).map((file) => ({ files: [file], seconds: LONG[file] ?? SHORT })),
  ].filter((piece) => piece.files.length > 0);
  const parts = Array.from({ length: count }, () => ({ seconds: 0, files: [] as string[] }));
  for (const piece of pieces.sort((a, b) => b.seconds - a.seconds || compare(a.files[0], b.files[0]))) {
    const least = parts.reduce((best, part) => (part.seconds < best.seconds ? part : best));
    least.seconds += piece.seconds;
    least.files.push(...piece.files);
  }
  return parts.map((part) => part.files);
}

function compare(a = '', b = ''): number {
  return a < b ? -1 : Number(a > b);
}

/** vitest's `--shard=I/N`, by time instead of by the digest of the path. */
export class ByTime extends BaseSequencer {
  override async shard(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const { shard, root } = this.ctx.config;
    if (shard === undefined) return specifications;
    const pathOf = (specification: TestSpecification) => relative(`${root}/test`, specification.moduleId);
    const mine = new Set(shares(specifications.map(pathOf), shard.count)[shard.index - 1]);
    return specifications.filter((specification) => mine.has(pathOf(specification)));
  }
}
