// Which test files run together when a suite runs in parts beside each other: parts that end at about the same time.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds with four runs beside each other on two cores, by the path below test/. A file that is not here is short. */
const LONG: Readonly<Record<string, number>> = {
  'integration/console/console.test.ts': 165,
  'integration/attacks/run-tokens.test.ts': 130,
  'e2e/ui.test.ts': 125,
  'integration/two-nodes.test.ts': 102,
  'integration/existing-server.test.ts': 93,
  'integration/doctor/faults.test.ts': 93,
  'integration/reload.test.ts': 91,
  'integration/run-tokens.test.ts': 78,
  'integration/stock-client.test.ts': 73,
  'integration/service-sockets.test.ts': 70,
  'integration/restarts.test.ts': 75,
  'integration/tutorials.test.ts': 60,
  'integration/rotate-upstream.test.ts': 59,
  'integration/exec.test.ts': 53,
  'e2e/public-path.test.ts': 53,
  'integration/filters.test.ts': 49,
  'integration/public-path-stock.test.ts': 48,
  'integration/postgres-gateway.test.ts': 48,
  'integration/three-nodes.test.ts': 30,
  'integration/scoped-attacks.test.ts': 47,
  'integration/nginx-versions.test.ts': 46,
  'integration/events-feed.test.ts': 44,
  'integration/services.test.ts': 43,
  'integration/packages.test.ts': 65,
  'integration/services-client.test.ts': 39,
  'integration/mcp-agent.test.ts': 38,
  'integration/cli-login.test.ts': 38,
  'integration/demo.test.ts': 36,
  'integration/scoped-lists.test.ts': 36,
  'integration/attacks/exhaustion.test.ts': 35,
  'integration/forward-proxy.test.ts': 35,
  'integration/old-servers.test.ts': 35,
  'integration/service-cache.test.ts': 34,
  'e2e/ui-v1.test.ts': 33,
  'integration/supervisor.test.ts': 32,
  'integration/relay.test.ts': 29,
  'e2e/run-feed.test.ts': 29,
  'integration/stock-configuration.test.ts': 28,
  'integration/client-certificates.test.ts': 24,
  'integration/edge.test.ts': 23,
  'integration/scoped-worker.test.ts': 23,
  'integration/disk-full.test.ts': 23,
  'integration/mcp.test.ts': 23,
  'integration/observe.test.ts': 21,
  'integration/attacks/one-gateway.test.ts': 20,
  'integration/old-clients.test.ts': 20,
  'integration/scopes.test.ts': 18,
  'integration/doctor/certificates.test.ts': 18,
  'integration/service-credentials.test.ts': 18,
  'integration/on-behalf-of.test.ts': 17,
  'integration/explain.test.ts': 17,
  'integration/mcp-conformance.test.ts': 16,
  'integration/state-version.test.ts': 16,
  'integration/rotation.test.ts': 16,
  'integration/two-teams.test.ts': 15,
  'integration/agent-budgets.test.ts': 15,
  'integration/attacks/jwt.test.ts': 15,
  'integration/ingest-lag.test.ts': 15,
  'integration/exports.test.ts': 15,
  'integration/reload-at-start.test.ts': 14,
  'integration/kills.test.ts': 14,
  'integration/taken-port.test.ts': 14,
  'integration/provenance.test.ts': 14,
  'integration/refusal-pages.test.ts': 14,
  'integration/refused-client.test.ts': 14,
  'integration/migrate-workers.test.ts': 13,
  'integration/balancer.test.ts': 13,
  'integration/postgres-store.test.ts': 12,
  'integration/broken-configs.test.ts': 12,
  'integration/behind-a-proxy.test.ts': 11,
  'integration/break-glass.test.ts': 11,
  'integration/locks.test.ts': 11,
  'integration/self-made.test.ts': 11,
  'integration/scim.test.ts': 11,
  'integration/untrusted-text.test.ts': 11,
  'integration/mediated-configuration.test.ts': 10,
  'integration/evidence.test.ts': 10,
  'integration/agent-runaway.test.ts': 10,
  'integration/service-retries.test.ts': 10,
  'integration/approvals.test.ts': 10,
  'integration/limits.test.ts': 10,
  'integration/agents.test.ts': 9,
  'integration/endless-answers.test.ts': 9,
  'integration/roles.test.ts': 8,
  'integration/attacks/expensive-bodies.test.ts': 7,
  'integration/attacks/tls.test.ts': 7,
  'integration/ledger-processes.test.ts': 7,
  'integration/attacks/raw-services.test.ts': 7,
};

const SHORT = 4;

/** So many parts of which the last takes the lane of the suites beside, when they have ended: it is as much smaller. */
export const PARTS_AND_REST = 4;
const BEFORE_THE_REST = 240;

/** Files that share Keycloak, which takes long to start: they are one piece of work. */
const WITH_KEYCLOAK = [
  ...['integration/exec-oidc.test.ts', 'integration/workloads.test.ts', 'integration/oidc.test.ts', 'integration/keycloak.test.ts'],
  ...['integration/mcp-client-logins.test.ts', 'integration/mcp-login.test.ts', 'integration/init.test.ts'],
  ...['e2e/saml.test.ts', 'e2e/oidc.test.ts'],
];
const SECONDS_WITH_KEYCLOAK = 340;

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
