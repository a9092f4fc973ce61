// Nodes that share a store: each hears of changes, and work that only one may do at a time is a duty of one of them.
import type { PostgresAddress } from '../contract/store-address.ts';

/** The names are those of rows, and of advisory locks of Postgres. */
export type DutyName = 'events' | 'exports' | 'retention';

export interface Duty {
  /** Grows with each new holder. 0: there is one node only. */
  readonly fence: number;
  /** Another node may have the duty now. */
  readonly lost: AbortSignal;
}

/** Starts the work quickly, and answers how to end it. It is called again after a loss. */
export type BeginWork = (duty: Duty) => Promise<() => Promise<void>>;

export interface Coordination {
  /** False: this node reads the change number every second instead, and has no duty. */
  isConnected(): boolean;
  /**
   * Does the work whenever this node has the duty; several works may share one. Answers how to end the work for good. A work that could not begin is
   * tried again every second.
   */
  hold(name: DutyName, begin: BeginWork): () => Promise<void>;
  /** The duties of this node now. */
  held(): readonly DutyName[];
  /** Ends the work and frees the duties. */
  close(): Promise<void>;
}

export interface CoordinationParts {
  /** The name of this node. */
  readonly node: string;
  /** A way to Postgres without PgBouncer; null: the one of the store. */
  readonly listenAt: PostgresAddress | null;
  /** Something may have changed: called after each notice, and after each connection, because a notice may be lost. */
  readonly onChange: () => void;
  /** Each time that the connection comes or goes. Null: it is there. */
  readonly onState: (problem: unknown) => void;
  readonly onError: (name: DutyName, error: unknown) => void;
}

/** For a store that no other node has: this process has every duty, and a work begins at once. */
export function soleNode({ onError }: Pick<CoordinationParts, 'onError'>): Coordination {
  const names = new Set<DutyName>();
  const ends = new Set<() => Promise<void>>();
  const nothing = async (): Promise<void> => undefined;
  return {
    isConnected: () => true,
    hold(name, begin) {
      const begun = begin({ fence: 0, lost: new AbortController().signal }).catch((error: unknown) => {
        onError(name, error);
        return nothing;
      });
      const end = async (): Promise<void> => {
        ends.delete(end);
        await (await begun)();
      };
      names.add(name);
      ends.add(end);
      return end;
    },
    held: () => [...names],
    async close() {
      for (const end of ends) await end();
    },
  };
}
