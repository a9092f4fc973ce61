// Which test files run together when a suite runs in parts beside each other: parts that end at about the same time.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds with four runs beside each other on two cores, by the path below test/. A file that is not here is short. */
const LONG: Readonly<Record<string, number>> = {
  'e2e/ui.test.ts': 155,
  'integration/doctor/faults.test.ts': 145,
  'integration/stock-client.test.ts': 143,
  'integration/attacks/run-tokens.test.ts': 136,
  'integration/existing-server.test.ts': 133,
  'integration/reload.test.ts': 118,
  'integration/run-tokens.test.ts': 107,
  'integration/services.test.ts': 101,
  'integration/tutorials.test.ts': 98,
  'e2e/ui-v1.test.ts': 87,
  'integration/stock-configuration.test.ts': 85,
  'integration/scoped-lists.test.ts': 85,
  'integration/services-client.test.ts': 81,
  'integration/mcp-agent.test.ts': 81,
  'integration/service-sockets.test.ts': 77,
  'integration/rotate-upstream.test.ts': 74,
  'integration/forward-proxy.test.ts': 71,
  'integration/old-servers.test.ts': 70,
  'integration/scoped-worker.test.ts': 64,
  'integration/console/console.test.ts': 212,
  'integration/events-feed.test.ts': 63,
  'integration/restarts.test.ts': 59,
  'integration/exec.test.ts': 58,
  'integration/mcp.test.ts': 56,
  'integration/filters.test.ts': 55,
  'integration/cli-login.test.ts': 53,
  'integration/public-path-stock.test.ts': 53,
  'integration/on-behalf-of.test.ts': 51,
  'integration/scopes.test.ts': 47,
  'integration/attacks/exhaustion.test.ts': 47,
  'integration/disk-full.test.ts': 47,
  'e2e/run-feed.test.ts': 44,
  'e2e/public-path.test.ts': 44,
  'integration/relay.test.ts': 44,
  'integration/client-certificates.test.ts': 42,
  'integration/scoped-attacks.test.ts': 42,
  'integration/service-cache.test.ts': 40,
  'integration/old-clients.test.ts': 40,
  'integration/supervisor.test.ts': 39,
  'integration/doctor/certificates.test.ts': 39,
  'integration/nginx-versions.test.ts': 38,
  'integration/attacks/one-gateway.test.ts': 36,
  'integration/edge.test.ts': 35,
  'integration/exports.test.ts': 35,
  'integration/observe.test.ts': 33,
  'integration/two-teams.test.ts': 33,
  'integration/mcp-conformance.test.ts': 33,
  'integration/packages.test.ts': 30,
  'integration/self-made.test.ts': 28,
  'integration/demo.test.ts': 28,
  'integration/service-credentials.test.ts': 27,
  'integration/agent-budgets.test.ts': 26,
  'integration/agent-runaway.test.ts': 25,
  'integration/untrusted-text.test.ts': 24,
  'integration/break-glass.test.ts': 23,
  'integration/provenance.test.ts': 22,
  'integration/attacks/jwt.test.ts': 22,
  'integration/broken-configs.test.ts': 21,
  'integration/locks.test.ts': 21,
  'integration/reload-at-start.test.ts': 21,
  'integration/approvals.test.ts': 20,
  'integration/refusal-pages.test.ts': 19,
  'integration/roles.test.ts': 19,
  'integration/filled-in.test.ts': 19,
  'integration/taken-port.test.ts': 18,
  'integration/evidence.test.ts': 17,
  'integration/kills.test.ts': 17,
  'integration/refused-client.test.ts': 17,
  'integration/mediated-configuration.test.ts': 16,
  'integration/balancer.test.ts': 16,
  'integration/explain.test.ts': 16,
  'integration/ledger-processes.test.ts': 16,
  'integration/attacks/expensive-bodies.test.ts': 16,
  'integration/attacks/files.test.ts': 16,
  'integration/scim.test.ts': 16,
  'integration/agents.test.ts': 15,
  'integration/service-retries.test.ts': 15,
  'integration/endless-answers.test.ts': 14,
  'integration/ingest-lag.test.ts': 14,
  'integration/attacks/services.test.ts': 13,
  'integration/limits.test.ts': 13,
  'integration/token-in-env.test.ts': 12,
  'integration/store-processes.test.ts': 12,
  'integration/rotation.test.ts': 12,
  'integration/attacks/anonymous.test.ts': 11,
  'e2e/services.test.ts': 10,
  'integration/attacks/aws.test.ts': 10,
  'integration/attacks/cached-http2.test.ts': 9,
  'integration/traces.test.ts': 9,
  'integration/attacks/overrides.test.ts': 9,
  'integration/attacks/raw-services.test.ts': 8,
  'integration/attacks/raw-prefect.test.ts': 8,
  'integration/state-version.test.ts': 8,
  'integration/attacks/tls.test.ts': 8,
  'integration/behind-a-proxy.test.ts': 20,
  'integration/metrics.test.ts': 8,
};

const SHORT = 5;

/** So many parts of which the last takes the lane of the suites beside, when they have ended: it is as much smaller. */
export const PARTS_AND_REST = 4;
const BEFORE_THE_REST = 400;

/** Files that share Keycloak, which takes long to start: they are one piece of work. */
const WITH_KEYCLOAK = [
  ...['integration/exec-oidc.test.ts', 'integration/workloads.test.ts', 'integration/oidc.test.ts', 'integration/keycloak.test.ts'],
  ...['integration/mcp-client-logins.test.ts', 'integration/mcp-login.test.ts', 'integration/init.test.ts'],
  ...['e2e/saml.test.ts', 'e2e/oidc.test.ts'],
];
const SECONDS_WITH_KEYCLOAK = 477;

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
