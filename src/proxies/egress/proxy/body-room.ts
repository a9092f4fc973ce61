// Memory for bodies. One caller can never take all of it.
import type { ServerResponse } from 'node:http';

export interface BodyRoom {
  /** `share`: the caller would leave too little for others. `full`: there is no room for a body of this size, from any caller. */
  take(caller: string, bytes: number): 'taken' | 'share' | 'full';
  give(caller: string, bytes: number): void;
}

/** A caller that uses memory already may take half of the rest. Another caller may take all of it. */
export function createBodyRoom(mostBytes: number): BodyRoom {
  const held = new Map<string, number>();
  let all = 0;
  return {
    take(caller, bytes) {
      if (bytes === 0) return 'taken';
      const own = held.get(caller) ?? 0;
      if (own > 0 && own + bytes > (mostBytes - (all - own)) / 2) return 'share';
      if (all + bytes > mostBytes) return 'full';
      held.set(caller, own + bytes);
      all += bytes;
      return 'taken';
    },
    give(caller, bytes) {
      const left = (held.get(caller) ?? 0) - bytes;
      if (left > 0) held.set(caller, left);
      else held.delete(caller);
      all -= bytes;
    },
  };
}

export interface Sending {
  /** False: there is no room. Else the body is counted until `response` closes. */
  begin(caller: string, body: Buffer, response: ServerResponse): boolean;
}

/** Each body is counted once for all callers that read it: they share it. */
export function createSending(mostBytes: number): Sending {
  const room = createBodyRoom(mostBytes);
  const readers = new Map<Buffer, { readonly caller: string; count: number }>();
  return {
    begin(caller, body, response) {
      if (response.destroyed) return true;
      const known = readers.get(body);
      if (known === undefined && room.take(caller, body.length) !== 'taken') return false;
      const shared = known ?? { caller, count: 0 };
      shared.count += 1;
      readers.set(body, shared);
      response.once('close', () => {
        shared.count -= 1;
        if (shared.count > 0) return;
        readers.delete(body);
        room.give(shared.caller, body.length);
      });
      return true;
    },
  };
}
