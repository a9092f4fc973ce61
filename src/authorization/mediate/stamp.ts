// What is written about its maker into a run that a request creates.
import type { Traces } from '../../config/config.ts';
import type { Principal } from '../../contract/principal.ts';
import { traceparentBelow } from '../../record/sinks/spans/context.ts';
import type { MediatedRequest } from './call.ts';
import type { Stamp } from './family.ts';
import { startedByTag } from './started-by.ts';

export interface StampConfig {
  readonly startedByTag: boolean;
  /** Null: no traces. */
  readonly traces: Pick<Traces, 'share'> | null;
}

export function stampOf(config: StampConfig, { id, onBehalfOf }: Principal, { inputs, headers }: MediatedRequest): Stamp {
  const traceparent = typeof headers['traceparent'] === 'string' ? headers['traceparent'] : undefined;
  return {
    ...{ principal: id, onBehalfOf, requestId: inputs.requestId },
    tag: config.startedByTag ? startedByTag({ principal: id, onBehalfOf }) : null,
    traceparent: config.traces === null ? null : traceparentBelow({ traceparent, requestId: inputs.requestId }, config.traces.share),
  };
}
