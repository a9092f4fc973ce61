// The place of a supervisor: its listening sockets, and how another supervisor takes it over.
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import type { ConnectionHold } from './connection-hold.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Edge } from './edge.ts';
import { type HandoverListener, listenForSuccessor } from './handover.ts';
import { type HoldListener, listenForHeld } from './hold-listener.ts';
import { dropSecondNames, giveSecondNames, restoreSockets } from './second-names.ts';
import type { Stop } from './stop.ts';

export interface Succession {
  listen(): Promise<void>;
  close(): void;
  /** SIGHUP. While a successor starts, its reading of the file counts. */
  reload(): void;
  /** Without its control plane, this supervisor cannot be sure of the state that it hands over. */
  dropSuccessor(): void;
  /** nginx belongs to the successor. */
  isReplaced(): boolean;
}

export interface SuccessionParts {
  readonly paths: StatePaths;
  readonly control: Pick<ControlPlane, 'yield' | 'resume' | 'reload'>;
  readonly edge: Pick<Edge, 'release' | 'workers'>;
  readonly hold: Pick<ConnectionHold, 'take'>;
  readonly stop: Pick<Stop, 'ask' | 'asked'>;
  readonly log: (line: string) => void;
}

export function createSuccession({ paths, control, edge, hold, stop, log }: SuccessionParts): Succession {
  let state: 'serving' | 'yielded' | 'replaced' = 'serving';
  let formerWorkers: readonly number[] = [];
  let held: HoldListener | undefined;
  let successor: HandoverListener | undefined;
  const successions = {
    async yield() {
      if (stop.asked()) throw new LictorError('replace-refused', 'it stops');
      state = 'yielded';
      formerWorkers = edge.workers();
      giveSecondNames(paths);
      try {
        await control.yield();
      } catch (error) {
        successions.resume();
        throw error;
      }
    },
    resume() {
      if (stop.asked()) return;
      state = 'serving';
      restoreSockets(paths);
      control.resume();
      log('another lictor has not taken this place: this one goes on');
    },
    taken() {
      state = 'replaced';
      dropSecondNames(paths);
      edge.release(formerWorkers);
      log('another lictor has taken this place: this one ends');
      stop.ask();
    },
  };
  return {
    async listen() {
      held = await listenForHeld(paths.holdSocket, hold.take);
      successor = await listenForSuccessor(paths.handoverSocket, successions);
    },
    close() {
      held?.close();
      successor?.close();
    },
    reload: () => (state === 'serving' ? control.reload() : log('not reloaded: another lictor takes this place')),
    dropSuccessor: () => {
      if (state === 'yielded') successor?.drop();
    },
    isReplaced: () => state === 'replaced',
  };
}
