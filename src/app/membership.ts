// This process as one of the nodes that share a store: it says that it lives, and knows the others.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import manifest from '../../package.json' with { type: 'json' };
import { decidingText } from '../authorization/decide/revision.ts';
import type { Config } from '../config/config.ts';
import { makeOnce } from '../config/make-once.ts';
import { LictorError } from '../contract/error.ts';
import { BEAT_MS, type LiveNode, type Node, type Nodes } from '../store/nodes.ts';

export interface Membership {
  /** How many live, as this node saw it last; at least 1. */
  count(): number;
  /** By name. */
  live(): Promise<readonly LiveNode[]>;
  /** A successor of this process may join under its name. */
  yield(): void;
  /** The successor has not started. */
  resume(): Promise<void>;
  /** The name is free at once, unless the successor has it. */
  leave(): Promise<void>;
}

export interface MembershipParts {
  readonly nodes: Nodes;
  readonly node: string;
  /** Holds the id of this node; created at its first start. */
  readonly idFile: string;
  readonly config: () => Config;
  readonly log: Logger;
  /** Nodes have come or gone. Called again at the next beat if it rejects. */
  readonly onCount: () => Promise<void>;
  /** A newer release has changed the store, so that this process must not use it. */
  readonly onUnusable: (error: LictorError) => void;
}

/** Throws `node-name-taken` with the remedy. */
export async function joinNodes({ nodes, node: name, idFile, config, log, onCount, onUnusable }: MembershipParts): Promise<Membership> {
  makeOnce(idFile, randomUUID());
  const instance = readFileSync(idFile, 'utf8');
  const now = (): Node => ({ name, instance, version: manifest.version, configuration: digestOf(config()) });
  let startedMs = await nodes.join(now());
  let hasYielded = false;
  let counted = (await nodes.live()).length;
  const beat = async (): Promise<void> => {
    // Without a successor, another node took the name while this process was silent. It may have ended since.
    if (!(await nodes.beat(now(), startedMs)) && !hasYielded) startedMs = await nodes.join(now());
    const live = (await nodes.live()).length;
    if (live === counted) return;
    const before = counted;
    counted = live;
    await onCount().catch((error: unknown) => {
      counted = before;
      log.error({ err: error, nodes: live }, 'the limits are not divided by the nodes of now');
    });
  };
  const failed = (error: unknown): void => {
    log.error({ err: error }, 'this node could not say that it lives');
    if (error instanceof LictorError && error.code === 'state-newer') onUnusable(error);
  };
  const timer = setInterval(() => void beat().catch(failed), BEAT_MS);
  return {
    count: () => Math.max(1, counted),
    live: nodes.live,
    yield() {
      hasYielded = true;
    },
    async resume() {
      hasYielded = false;
      startedMs = await nodes.join(now());
    },
    async leave() {
      clearInterval(timer);
      await nodes.leave({ name, instance }, startedMs);
    },
  };
}

/** Nodes with different digests decide differently. */
function digestOf(config: Config): string {
  return createHash('sha256').update(decidingText(config)).digest('hex').slice(0, 16);
}
