// The engines that tests share: to make one takes longer than most of what is asked of it, and none can be changed.
import { createEngineOfChecked, type PolicyEngine, type PolicyEngineOptions } from './engine.ts';

const made = new Map<string, PolicyEngine>();

/** One engine for each choice of actions, revision and policies, which must be valid. */
export function sharedEngine(options: Omit<PolicyEngineOptions, 'onError'>): PolicyEngine {
  const key = JSON.stringify(options);
  const engine = made.get(key) ?? createEngineOfChecked(options);
  made.set(key, engine);
  return engine;
}
