// The earlier requests that an approval is compared with: flow runs of the same deployment, else approvals of the same action and object.
import { shownJson } from '../../../../authorization/approvals/arguments.ts';
import { type ComparedArgument, compareArguments } from '../../../../authorization/approvals/usual.ts';
import { field, type JsonValue, objectsIn } from '../../../../contract/json/tree.ts';
import type { StoredApproval } from '../../../../store/approvals.ts';
import type { CallContext } from '../api-route.ts';

interface Usual {
  readonly source: 'flow_runs' | 'approvals';
  readonly count: number;
  readonly unavailable: string | null;
  readonly arguments: ComparedArgument[];
}

const MOST_RUNS = 12;
/** Parsing more would delay other requests. */
const LARGEST_ANSWER = 512 * 1024;

export async function usualOf(approval: StoredApproval, call: CallContext): Promise<Usual> {
  const asked = JSON.parse(approval.shownArguments) as JsonValue;
  const parameters = field(field(asked, 'body'), 'parameters');
  if (approval.resourceType === 'Deployment' && approval.resourceId !== null && parameters !== undefined)
    return usualParameters(parameters, await earlierRuns(approval.resourceId, call));
  const earlier = await earlierApprovals(approval, call);
  return { source: 'approvals', count: earlier.length, unavailable: null, arguments: [...compareArguments(asked, earlier)] };
}

function usualParameters(parameters: JsonValue, earlier: readonly JsonValue[] | string): Usual {
  const isReadable = typeof earlier !== 'string';
  const runs = isReadable ? earlier : [];
  return { source: 'flow_runs', count: runs.length, unavailable: isReadable ? null : earlier, arguments: [...compareArguments(parameters, runs)] };
}

/** With the rights of the person that asks, and without the secrets that arguments of approvals lack too. A text: why they cannot be read. */
async function earlierRuns(deployment: string, { inputs, parts, request }: CallContext): Promise<readonly JsonValue[] | string> {
  const body = { flow_runs: { deployment_id: { any_: [deployment] } }, sort: 'START_TIME_DESC', limit: MOST_RUNS };
  const response = await parts.mediator.handle({
    // The gateway sends it, so no other page can have made the browser send it.
    inputs: { ...inputs, operation: 'read_flow_runs_flow_runs_filter_post', method: 'POST', path: '/api/flow_runs/filter', args: '', sameOrigin: true },
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': request.headers['user-agent'] ?? '' },
    body: Buffer.from(JSON.stringify(body)),
  });
  if (response.status === 403) return 'You may not read the flow runs of this deployment.';
  if (response.status !== 200) return 'Prefect did not answer.';
  if (response.body.length > LARGEST_ANSWER) return 'The parameters of earlier flow runs are too large.';
  const redactor = await parts.redactor();
  const runs = objectsIn(JSON.parse(response.body.toString('utf8')) as JsonValue);
  return runs.map((run) => JSON.parse(shownJson(field(run, 'parameters') ?? {}, redactor)) as JsonValue);
}

async function earlierApprovals({ id, action, resourceType, resourceId }: StoredApproval, call: CallContext): Promise<readonly JsonValue[]> {
  const concerning = await call.parts.approvals.concerning(call.authorization.principal);
  return concerning
    .filter((each) => each.id !== id && each.action === action && each.resourceType === resourceType && each.resourceId === resourceId)
    .map(({ shownArguments }) => JSON.parse(shownArguments) as JsonValue);
}
