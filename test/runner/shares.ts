// Which test files run together when a suite runs in parts beside each other: parts that end at about the same time.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds with four runs beside each other on two cores, by the path below test/. A file that is not here is short. */
const LONG: Readonly<Record<string, number>> = {
  'integration/run-tokens.test.ts': 130,
  'integration/stock-client.test.ts': 140,
  'integration/existing-server.test.ts': 140,
  'integration/services-client.test.ts': 125,
  'integration/doctor/faults.test.ts': 127,
  'integration/public-path-stock.test.ts': 60,
  'integration/reload.test.ts': 110,
  'integration/demo.test.ts': 60,
  'integration/restarts.test.ts': 100,
  'integration/scoped-lists.test.ts': 105,
  'integration/service-sockets.test.ts': 105,
  'integration/attacks/run-tokens.test.ts': 140,
  'integration/kills.test.ts': 91,
  'integration/events-feed.test.ts': 80,
  'integration/rotate-upstream.test.ts': 80,
  'integration/exec.test.ts': 60,
  'integration/stock-configuration.test.ts': 71,
  'integration/services.test.ts': 60,
  'integration/forward-proxy.test.ts': 58,
  'integration/scoped-worker.test.ts': 48,
  'integration/two-teams.test.ts': 36,
  'integration/old-clients.test.ts': 45,
  'integration/tutorials.test.ts': 90,
  'integration/relay.test.ts': 56,
  'integration/old-servers.test.ts': 50,
  'integration/public-path.test.ts': 49,
  'integration/cli-login.test.ts': 48,
  'integration/supervisor.test.ts': 44,
  'integration/nginx-versions.test.ts': 32,
  'integration/client-certificates.test.ts': 45,
  'integration/attacks/one-gateway.test.ts': 60,
  'integration/service-cache.test.ts': 42,
  'integration/filters.test.ts': 48,
  'integration/provenance.test.ts': 37,
  'integration/attacks/exhaustion.test.ts': 52,
  'integration/scopes.test.ts': 35,
  'integration/attacks/raw-services.test.ts': 33,
  'integration/doctor/certificates.test.ts': 33,
  'integration/self-made.test.ts': 31,
  'integration/limits.test.ts': 18,
  'integration/reload-at-start.test.ts': 25,
  'integration/service-credentials.test.ts': 29,
  'integration/exports.test.ts': 28,
  'integration/ledger-processes.test.ts': 28,
  'integration/evidence.test.ts': 27,
  'integration/mediated-configuration.test.ts': 27,
  'integration/refused-client.test.ts': 27,
  'integration/disk-full.test.ts': 24,
  'integration/full-disk-commands.test.ts': 17,
  'integration/edge.test.ts': 17,
  'integration/explain.test.ts': 17,
  'integration/ingest-lag.test.ts': 17,
  'integration/break-glass.test.ts': 15,
  'integration/endless-answers.test.ts': 15,
  'integration/attacks/jwt.test.ts': 14,
  'integration/rotation.test.ts': 14,
  'integration/roles.test.ts': 13,
  'integration/scoped-attacks.test.ts': 39,
  'integration/broken-configs.test.ts': 12,
  'integration/attacks/files.test.ts': 11,
  'integration/locks.test.ts': 10,
  'integration/attacks/raw-prefect.test.ts': 9,
  'integration/service-retries.test.ts': 9,
  'integration/store-processes.test.ts': 6,
  'e2e/ui.test.ts': 125,
  'e2e/public-path.test.ts': 60,
  'e2e/ui-v1.test.ts': 56,
  'e2e/run-feed.test.ts': 45,
};

const SHORT = 4;

/** So many parts of which the last takes the lane of the suites beside, when they have ended: it is as much smaller. */
export const PARTS_AND_REST = 4;
const BEFORE_THE_REST = 300;

/** Files that share Keycloak, which takes long to start: they are one piece of work. */
const WITH_KEYCLOAK = [
  ...['integration/exec-oidc.test.ts', 'integration/workloads.test.ts', 'integration/oidc.test.ts', 'integration/keycloak.test.ts'],
  'integration/init.test.ts',
  ...['e2e/saml.test.ts', 'e2e/oidc.test.ts'],
];
const SECONDS_WITH_KEYCLOAK = 330;

/** The files in `count` parts; every file is in exactly one. The longest go first, each to the part that ends first. Paths below test/. */
export function shares(files: readonly string[], count: number): readonly (readonly string[])[] {
  const pieces = [
    { files: WITH_KEYCLOAK.filter((file) => files.includes(file)), seconds: SECONDS_WITH_KEYCLOAK },
    ...files.filter((file) => !WITH_KEYCLOAK.includes(file)).map((file) => ({ files: [file], seconds: LONG[file] ?? SHORT })),
  ].filter((piece) => piece.files.length > 0);
  const parts = Array.from({ length: count }, (_, index) => ({ seconds: index === PARTS_AND_REST - 1 ? BEFORE_THE_REST : 0, files: [] as string[] }));
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
