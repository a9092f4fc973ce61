// The agents of lictor.yaml in the chain of a principal. The bounds of all of them hold.
import type { Agent } from '../../config/config.ts';
import { agentId, chainOf, type Principal } from '../../contract/principal.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';

export interface AgentBook {
  /** The agents that act: the principal itself, and those that it acts for. */
  of(principal: Principal): readonly Agent[];
  /** For the principal of a run: the agents that started a run above it, or the run itself. */
  above(principal: Principal): readonly RunTree[];
}

/** `root`: the run that the agent started. */
export interface RunTree {
  readonly agent: Agent;
  readonly root: string;
}

export function createAgentBook(agents: readonly Agent[]): AgentBook {
  const byId = new Map(agents.map((agent) => [agentId(agent.name), agent]));
  return {
    of: (principal) => [...new Set(chainOf(principal).flatMap(({ id, kind }) => (kind === 'agent' ? (byId.get(id) ?? []) : [])))],
    above({ id, kind, onBehalfOf }) {
      if (kind !== 'run') return [];
      const chain = [id, ...onBehalfOf];
      return chain.flatMap((link, at) => {
        const agent = byId.get(link);
        // Nearest first: the last run before the agent is the one that it started.
        const root = chain
          .slice(0, at)
          .flatMap((each) => runOfPrincipal(each) ?? [])
          .at(-1);
        return agent === undefined || root === undefined ? [] : [{ agent, root }];
      });
    },
  };
}
