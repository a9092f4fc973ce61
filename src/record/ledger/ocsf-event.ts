// An event of Prefect as an event of OCSF 1.6: Application Lifecycle (6002).
//
// The application is the run, worker or deployment. Fields without a place in OCSF are in `unmapped`, under the names of a stored event.
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import { OCSF_VERSION, present } from './ocsf.ts';

const CLASS = 6002;
const [START, STOP, OTHER] = [3, 4, 99];

export function ocsfOfPrefectEvent(event: PrefectEvent): Record<string, unknown> {
  const { id, occurred, event: name, resource_id: uid, resource_name, state_type: state, state_name, flow_run_id, received: _, ...rest } = event;
  const activity = activityOf(state);
  const failed = state !== null && FAILED.includes(state);
  return present({
    metadata: present({
      version: OCSF_VERSION,
      product: { name: 'Prefect', vendor_name: 'Prefect' },
      uid: id,
      event_code: name,
      correlation_uid: flow_run_id,
    }),
    time: Date.parse(occurred),
    class_uid: CLASS,
    category_uid: Math.floor(CLASS / 1000),
    activity_id: activity,
    activity_name: activity === OTHER ? name : null,
    type_uid: CLASS * 100 + activity,
    severity_id: failed ? 2 : 1,
    // Only ended objects succeed or fail.
    status_id: failed ? 2 : state === 'COMPLETED' ? 1 : null,
    status: state_name,
    status_code: state,
    app: present({ name: resource_name ?? uid, uid }),
    resources: [present({ type: kindOf(uid), uid, name: resource_name })],
    unmapped: unmappedOf({ event: name, flow_run_id, ...rest }),
  });
}

const FAILED: readonly string[] = ['FAILED', 'CRASHED'];
const ENDED: readonly string[] = [...FAILED, 'COMPLETED', 'CANCELLED'];

function activityOf(state: string | null): number {
  if (state === 'RUNNING') return START;
  return state !== null && ENDED.includes(state) ? STOP : OTHER;
}

/** `prefect.flow-run` of `prefect.flow-run.UUID`. */
function kindOf(uid: string): string {
  return uid.split('.').slice(0, 2).join('.');
}

function unmappedOf(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)));
}
