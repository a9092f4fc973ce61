// Which test files run together when a suite runs in parts beside each other: parts that end at about the same time.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds with four runs beside each other on two cores, by the path below test/. A file that is not here is short. */
const LONG: Readonly<Record<string, number>> = {
  'integration/attacks/run-tokens.test.ts': 140,
  'integration/existing-server.test.ts': 140,
  'integration/stock-client.test.ts': 140,
  'e2e/ui-v1.test.ts': 133,
  'integration/run-tokens.test.ts': 130,
  'e2e/ui.test.ts': 125,
  'integration/reload.test.ts': 110,
  'integration/tutorials.test.ts': 90,
  'integration/doctor/faults.test.ts': 84,
  'integration/service-sockets.test.ts': 83,
  'e2e/public-path.test.ts': 78,
  'integration/attacks/exhaustion.test.ts': 78,
  'integration/approvals.test.ts': 72,
  'integration/two-teams.test.ts': 68,
  'e2e/run-feed.test.ts': 65,
  'integration/restarts.test.ts': 65,
  'integration/demo.test.ts': 60,
  'integration/exec.test.ts': 60,
  'integration/agent-budgets.test.ts': 58,
  'integration/events-feed.test.ts': 58,
  'integration/rotate-upstream.test.ts': 58,
  'integration/disk-full.test.ts': 56,
  'integration/forward-proxy.test.ts': 56,
  'integration/scoped-lists.test.ts': 52,
  'integration/agents.test.ts': 51,
  'integration/untrusted-text.test.ts': 51,
  'integration/services.test.ts': 49,
  'integration/public-path-stock.test.ts': 48,
  'integration/cli-login.test.ts': 47,
  'integration/agent-runaway.test.ts': 46,
  'integration/attacks/one-gateway.test.ts': 46,
  'integration/mcp-agent.test.ts': 46,
  'integration/nginx-versions.test.ts': 46,
  'integration/old-servers.test.ts': 46,
  'integration/observe.test.ts': 45,
  'integration/attacks/services.test.ts': 43,
  'integration/attacks/jwt.test.ts': 42,
  'integration/stock-configuration.test.ts': 42,
  'integration/filters.test.ts': 39,
  'integration/mcp.test.ts': 39,
  'integration/service-cache.test.ts': 39,
  'integration/services-client.test.ts': 39,
  'integration/attacks/anonymous.test.ts': 38,
  'integration/attacks/raw-services.test.ts': 38,
  'integration/exports.test.ts': 36,
  'integration/attacks/expensive-bodies.test.ts': 35,
  'integration/attacks/files.test.ts': 35,
  'integration/client-certificates.test.ts': 35,
  'integration/supervisor.test.ts': 35,
  'integration/doctor/certificates.test.ts': 34,
  'integration/mcp-conformance.test.ts': 34,
  'integration/scoped-attacks.test.ts': 34,
  'integration/attacks/aws.test.ts': 32,
  'integration/explain.test.ts': 32,
  'integration/kills.test.ts': 32,
  'integration/relay.test.ts': 32,
  'integration/scoped-worker.test.ts': 32,
  'e2e/services.test.ts': 31,
  'integration/edge.test.ts': 29,
  'integration/on-behalf-of.test.ts': 29,
  'integration/provenance.test.ts': 29,
  'integration/attacks/tls.test.ts': 27,
  'integration/scopes.test.ts': 27,
  'integration/attacks/cached-http2.test.ts': 26,
  'integration/attacks/raw-prefect.test.ts': 26,
  'integration/attacks/overrides.test.ts': 25,
  'integration/taken-port.test.ts': 23,
  'integration/self-made.test.ts': 22,
  'integration/ingest-lag.test.ts': 21,
  'integration/old-clients.test.ts': 21,
  'integration/balancer.test.ts': 20,
  'integration/mediated-configuration.test.ts': 18,
  'integration/evidence.test.ts': 17,
  'integration/service-credentials.test.ts': 17,
  'integration/break-glass.test.ts': 16,
  'integration/broken-configs.test.ts': 16,
  'integration/limits.test.ts': 14,
  'integration/refused-client.test.ts': 14,
  'integration/traces.test.ts': 14,
  'integration/refusal-pages.test.ts': 13,
  'integration/reload-at-start.test.ts': 13,
  'integration/endless-answers.test.ts': 12,
  'integration/token-in-env.test.ts': 12,
  'integration/ledger-processes.test.ts': 10,
  'integration/locks.test.ts': 10,
  'integration/rotation.test.ts': 10,
  'integration/filled-in.test.ts': 9,
  'integration/roles.test.ts': 9,
  'integration/public-path.test.ts': 8,
  'integration/full-disk-commands.test.ts': 6,
  'integration/mediate.test.ts': 6,
  'integration/transport-security.test.ts': 6,
};

const SHORT = 5;

/** So many parts of which the last takes the lane of the suites beside, when they have ended: it is as much smaller. */
export const PARTS_AND_REST = 4;
const BEFORE_THE_REST = 300;

/** Files that share Keycloak, which takes long to start: they are one piece of work. */
const WITH_KEYCLOAK = [
  ...['integration/exec-oidc.test.ts', 'integration/workloads.test.ts', 'integration/oidc.test.ts', 'integration/keycloak.test.ts'],
  ...['integration/mcp-client-logins.test.ts', 'integration/mcp-login.test.ts', 'integration/init.test.ts'],
  ...['e2e/saml.test.ts', 'e2e/oidc.test.ts'],
];
const SECONDS_WITH_KEYCLOAK = 400;

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
