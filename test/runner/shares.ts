// Which test files run together when a suite runs in parts beside each other: parts that end at about the same time.
import { relative } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Seconds with four runs beside each other on two cores, by the path below test/. A file that is not here is short. */
const LONG: Readonly<Record<string, number>> = {
  'e2e/ui.test.ts': 250,
  'integration/attacks/run-tokens.test.ts': 168,
  'integration/stock-client.test.ts': 160,
  'integration/tutorials.test.ts': 132,
  'integration/existing-server.test.ts': 106,
  'e2e/ui-v1.test.ts': 102,
  'integration/run-tokens.test.ts': 91,
  'integration/reload.test.ts': 82,
  'integration/agent-budgets.test.ts': 70,
  'integration/doctor/faults.test.ts': 70,
  'integration/service-sockets.test.ts': 66,
  'integration/attacks/exhaustion.test.ts': 65,
  'e2e/public-path.test.ts': 60,
  'integration/attacks/one-gateway.test.ts': 60,
  'integration/demo.test.ts': 59,
  'integration/approvals.test.ts': 55,
  'integration/restarts.test.ts': 55,
  'integration/two-teams.test.ts': 52,
  'e2e/run-feed.test.ts': 50,
  'integration/agent-runaway.test.ts': 50,
  'integration/rotate-upstream.test.ts': 50,
  'integration/events-feed.test.ts': 48,
  'integration/exec.test.ts': 46,
  'integration/filters.test.ts': 45,
  'integration/scoped-lists.test.ts': 45,
  'integration/disk-full.test.ts': 43,
  'integration/forward-proxy.test.ts': 43,
  'integration/cli-login.test.ts': 40,
  'integration/agents.test.ts': 39,
  'integration/untrusted-text.test.ts': 39,
  'integration/services.test.ts': 38,
  'integration/public-path-stock.test.ts': 37,
  'integration/mcp-agent.test.ts': 35,
  'integration/nginx-versions.test.ts': 35,
  'integration/old-servers.test.ts': 35,
  'integration/attacks/services.test.ts': 33,
  'integration/attacks/jwt.test.ts': 32,
  'integration/service-cache.test.ts': 32,
  'integration/stock-configuration.test.ts': 32,
  'integration/exports.test.ts': 30,
  'integration/kills.test.ts': 30,
  'integration/mcp.test.ts': 30,
  'integration/services-client.test.ts': 30,
  'integration/attacks/anonymous.test.ts': 29,
  'integration/attacks/raw-services.test.ts': 29,
  'integration/attacks/expensive-bodies.test.ts': 27,
  'integration/attacks/files.test.ts': 27,
  'integration/client-certificates.test.ts': 27,
  'integration/supervisor.test.ts': 27,
  'integration/doctor/certificates.test.ts': 26,
  'integration/mcp-conformance.test.ts': 26,
  'integration/scoped-attacks.test.ts': 26,
  'integration/attacks/aws.test.ts': 25,
  'integration/explain.test.ts': 25,
  'integration/provenance.test.ts': 25,
  'integration/relay.test.ts': 25,
  'integration/scoped-worker.test.ts': 25,
  'e2e/services.test.ts': 24,
  'integration/edge.test.ts': 22,
  'integration/on-behalf-of.test.ts': 22,
  'integration/attacks/tls.test.ts': 21,
  'integration/scopes.test.ts': 21,
  'integration/attacks/cached-http2.test.ts': 20,
  'integration/attacks/raw-prefect.test.ts': 20,
  'integration/attacks/overrides.test.ts': 19,
  'integration/taken-port.test.ts': 18,
  'integration/self-made.test.ts': 17,
  'integration/ingest-lag.test.ts': 16,
  'integration/old-clients.test.ts': 16,
  'integration/balancer.test.ts': 15,
  'integration/mediated-configuration.test.ts': 14,
  'integration/evidence.test.ts': 13,
  'integration/service-credentials.test.ts': 13,
  'integration/break-glass.test.ts': 12,
  'integration/broken-configs.test.ts': 12,
  'integration/limits.test.ts': 11,
  'integration/refused-client.test.ts': 11,
  'integration/traces.test.ts': 11,
  'integration/refusal-pages.test.ts': 10,
  'integration/reload-at-start.test.ts': 10,
  'integration/endless-answers.test.ts': 9,
  'integration/token-in-env.test.ts': 9,
  'integration/ledger-processes.test.ts': 8,
  'integration/locks.test.ts': 8,
  'integration/rotation.test.ts': 8,
  'integration/filled-in.test.ts': 7,
  'integration/roles.test.ts': 7,
  'integration/public-path.test.ts': 6,
  'integration/full-disk-commands.test.ts': 5,
  'integration/mediate.test.ts': 5,
  'integration/transport-security.test.ts': 5,
};

const SHORT = 4;

/** So many parts of which the last takes the lane of the suites beside, when they have ended: it is as much smaller. */
export const PARTS_AND_REST = 4;
const BEFORE_THE_REST = 300;

/** Files that share Keycloak, which takes long to start: they are one piece of work. */
const WITH_KEYCLOAK = [
  ...['integration/exec-oidc.test.ts', 'integration/workloads.test.ts', 'integration/oidc.test.ts', 'integration/keycloak.test.ts'],
  ...['integration/mcp-client-logins.test.ts', 'integration/mcp-login.test.ts', 'integration/init.test.ts'],
  ...['e2e/saml.test.ts', 'e2e/oidc.test.ts'],
];
const SECONDS_WITH_KEYCLOAK = 450;

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
