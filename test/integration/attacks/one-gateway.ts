// The gateway of the attacks that need no configuration of their own: one start for all of them.
import { useHarness } from './harness.ts';

export const harness = useHarness();
