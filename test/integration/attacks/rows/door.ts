// A listener that hostile requests are sent to: a whole gateway's, or that of an edge with a stub behind it.
import { expect } from 'vitest';
import type { StubEdge } from '../../../env/stub-edge.ts';
import type { Recorded } from '../../../env/upstream-recorder.ts';
import { bearerLine, type Harness } from '../harness.ts';

export interface Door {
  readonly port: number;
  /** Header lines of an administrator and of a viewer: no role helps against the edge. */
  readonly admin: string;
  readonly viewer: string;
  /** The `Authorization` that Prefect gets. */
  readonly upstreamCredential: string;
  seen(): readonly Recorded[];
}

export function gatewayDoor(harness: Harness): Door {
  return {
    port: harness.gateway.port,
    admin: bearerLine(harness.admin),
    viewer: bearerLine(harness.viewer),
    upstreamCredential: basic(harness.recorder.authString),
    seen: harness.recorder.seen,
  };
}

export function edgeDoor({ port, upstream }: StubEdge): Door {
  return {
    port,
    admin: bearerLine('stub-admin'),
    viewer: bearerLine('stub-viewer'),
    upstreamCredential: basic(upstream.authString),
    seen: upstream.seen,
  };
}

/** Nothing reached the upstream since the test began. */
export function expectNothingThrough(door: Door): void {
  expect(door.seen().map(({ method, target }) => `${method} ${target}`)).toEqual([]);
}

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}
