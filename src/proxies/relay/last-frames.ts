// The last events of a client that has closed: it does not send them again. So a look-up that fails is repeated.
import { setTimeout as pause } from 'node:timers/promises';
import { LAST_FRAMES_MS } from '../../prefect/frames/join.ts';
import type { RelayCore } from './core.ts';
import { recheckOne } from './recheck.ts';
import type { Session } from './session.ts';

const PAUSE_MS = 1_000;

type Look = (frames: readonly Buffer[]) => Promise<readonly (Buffer | null)[]>;

/** A client that is still there is closed with 1012 after a failure, and sends its events again. */
export function repeatedWithoutClient(core: RelayCore, session: Session, look: Look): Look {
  return async (frames) => {
    const until = performance.now() + LAST_FRAMES_MS;
    for (;;) {
      try {
        return await look(frames);
      } catch (error) {
        const { client } = session;
        if (client.readyState === client.OPEN || performance.now() > until || !(await mayGoOn(core, session))) throw error;
      }
    }
  };
}

/** After a pause. A sweep passes over a client that has left, so its right is decided again here. */
async function mayGoOn(core: RelayCore, session: Session): Promise<boolean> {
  await pause(PAUSE_MS, undefined, { ref: false });
  if (session.ended !== true) await recheckOne(core, session);
  return session.ended !== true;
}
