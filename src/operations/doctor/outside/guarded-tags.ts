// Guarded tags on objects whose creator may not set them now. They were set before a scope named the tag.
import { CREATOR_LABEL } from '../../../prefect/client/initiators.ts';
import { ok, type Verdict, warn } from '../finding.ts';
import type { TagHolders } from '../inside/tag-holders.ts';
import { type Listed, listOf } from './lists.ts';
import { notReached, type UpstreamSubject } from './upstream.ts';

const NAMED = 5;
/** Prefect's page size. Of more objects, only the newest are checked. */
const PAGE = 200;

/** No worker gets an ended run. */
const UNENDED = ['SCHEDULED', 'PENDING', 'RUNNING', 'PAUSED', 'CANCELLING'];

/** Empty where no tag is guarded. */
export async function checkGuardedTags(servers: readonly UpstreamSubject[], holders: TagHolders): Promise<readonly Verdict[]> {
  if (holders.guarded.size === 0) return [];
  const tags = { any_: [...holders.guarded] };
  const deployments = await listOf(servers, '/api/deployments/filter', { deployments: { tags }, limit: PAGE });
  const runs = await listOf(servers, '/api/flow_runs/filter', { flow_runs: { tags, state: { type: { any_: UNENDED } } }, limit: PAGE });
  if (deployments === undefined || runs === undefined) {
    return [notReached('the guarded tags', `${servers[0]?.url ?? ''}/api/deployments/filter`, 'no list of deployments and runs')];
  }
  const given = new Map(deployments.map((deployment) => [deployment.id, deployment.tags]));
  const found = [
    ...(
      await Promise.all(deployments.map(async (object) => misplaced('deployment', object, { holders, maker: await holders.makerOf('Deployment', object.id) })))
    ).flat(),
    ...runs.map((run) => withoutInherited(run, given)).flatMap((run) => misplaced('flow run', run, { holders, maker: run.labels[CREATOR_LABEL] })),
  ];
  if (found.length === 0) return [ok(`no object has a guarded tag that its creator may not set (${[...holders.guarded].sort().join(', ')})`)];
  return [
    warn(
      `${found.length} objects have guarded tags that their creators may not set: ${found.slice(0, NAMED).join('; ')}${found.length > NAMED ? '; ...' : ''}`,
      "Check who owns each object. Then remove the tag with a role without a scope, or widen the creator's scope: docs/reference/scopes.md.",
    ),
  ];
}

/** A run has its deployment's tags, no matter who started it. */
function withoutInherited(run: Listed, given: ReadonlyMap<string, readonly string[]>): Listed {
  const inherited = given.get(run.deploymentId) ?? [];
  return { ...run, tags: run.tags.filter((tag) => !inherited.includes(tag)) };
}

interface Maker {
  readonly holders: TagHolders;
  readonly maker: string | undefined;
}

function misplaced(kind: string, { id, name, tags }: Listed, { holders, maker }: Maker): readonly string[] {
  if (maker === undefined) return [];
  const foreign = tags.filter((tag) => holders.guarded.has(tag) && holders.holds(maker, tag) === false);
  return foreign.length === 0 ? [] : [`${foreign.join(', ')} on ${kind} ${JSON.stringify(name)} (${id}) of ${maker}`];
}
