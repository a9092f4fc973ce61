// For tests: an agent with the service token of its name, and alice@local as its sponsor.
import type { Agent } from '../../../config/config.ts';

export function anAgent(changes: Partial<Agent> = {}): Agent {
  return {
    ...{ name: 'copilot', sponsor: { name: 'alice', idp: 'local' }, credential: { kind: 'token' }, parameters: [], taint: 'approve' },
    grants: [{ role: 'agent', scope: null }],
    budgets: { callsPerMinute: null, runsPerHour: null, concurrentRuns: null, descendants: null, bytesPerHour: null },
    ...changes,
  };
}
