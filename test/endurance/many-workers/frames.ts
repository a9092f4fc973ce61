// The frames that a worker sends on its channel (prefect/client/schemas/worker_channel.py).

export interface Self {
  readonly consumer_id: string;
  readonly worker_name: string;
  readonly heartbeat_interval_seconds: number;
}

export function newSelf(name: string): Self {
  return { consumer_id: crypto.randomUUID(), worker_name: name, heartbeat_interval_seconds: 30 };
}

/** As a stock worker sends it, without metadata. The pool must be there. */
export function helloFrame(self: Self, type: string): string {
  return frame('worker.hello.v1', {
    ...self,
    worker_type: type,
    supported_channel_versions: ['work_pool_worker_channel.v1'],
    requested_capabilities: ['worker_heartbeat.v1', 'work_pool_snapshot.v1'],
    work_queue_names: [],
    handled_cleanup_kinds: [],
    max_cleanup_concurrency: 0,
    create_pool_if_not_found: false,
    default_base_job_template: {},
    worker_metadata: null,
  });
}

export function heartbeatFrame(self: Self): string {
  return frame('worker.heartbeat.v1', self);
}

function frame(type: string, payload: object): string {
  return JSON.stringify({ type, id: crypto.randomUUID(), sent_at: new Date().toISOString(), payload });
}
