// This process as one of the nodes that share a store: it says that it lives, and knows the others.
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import manifest from '../../package.json' with { type: 'json' };
import { decidingText } from '../authorization/decide/revision.ts';
import type { PolicyTexts } from '../authorization/policy/policies.ts';
import type { Config } from '../config/config.ts';
import { makeOnce } from '../config/make-once.ts';
import { LictorError } from '../contract/error.ts';
import { BEAT_MS, type HeldBy, type KnownNode, type Node, type Nodes } from '../store/nodes.ts';

export interface Membership {
  /** How many live, as this node saw it last; at least 1. */
  count(): number;
  /** The nodes and their duties, as this node saw them last. */
  seen(): SeenNodes;
  /** A successor of this process may join under its name. */
  yield(): void;
  /** The successor has not started. */
  resume(): Promise<void>;
  /** The name is free at once, unless the successor has it. */
  leave(): Promise<void>;
}

export interface SeenNodes {
  readonly nodes: readonly KnownNode[];
  readonly duties: readonly HeldBy[];
}

export interface MembershipParts {
  readonly nodes: Nodes;
  readonly node: string;
  /** Holds the id of this node; created at its first start. */
  readonly idFile: string;
  readonly deciding: () => Deciding;
  readonly log: Logger;
  /** Nodes have come or gone. Called again at the next beat if it rejects. */
  readonly onCount: () => Promise<void>;
  /** A newer release has changed the store, so that this process must not use it. */
  readonly onUnusable: (error: LictorError) => void;
}

/** What this node decides by. */
export interface Deciding {
  readonly config: Config;
  /** Null: not loaded yet. */
  readonly policies: { readonly files: PolicyTexts } | null;
}

/** Throws `node-name-taken` with the remedy. */
export async function joinNodes({ nodes, node: name, idFile, deciding, log, onCount, onUnusable }: MembershipParts): Promise<Membership> {
  makeOnce(idFile, randomUUID());
  const instance = readFileSync(idFile, 'utf8');
  const now = (): Node => ({ name, instance, version: manifest.version, configuration: digestsOf(deciding()) });
  const look = async (): Promise<SeenNodes> => {
    const [known, duties] = await Promise.all([nodes.recent(), nodes.duties()]);
    return { nodes: known, duties };
  };
  const countOf = ({ nodes: known }: SeenNodes): number => known.filter(({ isLive }) => isLive).length;
  let startedMs = await nodes.join(now());
  let hasYielded = false;
  let seen = await look();
  let counted = countOf(seen);
  const beat = async (): Promise<void> => {
    // Without a successor, another node took the name while this process was silent. It may have ended since.
    if (!(await nodes.beat(now(), startedMs)) && !hasYielded) startedMs = await nodes.join(now());
    seen = await look();
    const live = countOf(seen);
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
    seen: () => seen,
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
function digestsOf({ config, policies }: Deciding): string {
  const texts = [decidingText(config), ...(policies === null ? [] : [JSON.stringify(policies.files)])];
  return texts.map((text) => createHash('sha256').update(text).digest('hex').slice(0, 16)).join('/');
}
