// Foreign or absent: both are answered at the end of a step of time, so that how long it took does not tell them apart.
//
// What is foreign is remembered for a moment, and names other objects that are looked at; what is not there is asked for each time. What
// takes longer than a step on one side alone (a busy server, a flow of hundreds of deployments) can still be told by many measurements.
import { setTimeout as wait } from 'node:timers/promises';

/** Prefect answers what is looked at for a decision in some 5 to 50 ms, with its server and the gateway on two busy cores. */
const STEP_MS = 100;

/** Resolves at the end of the step that `elapsedMs` is in. */
export async function endOfStep(elapsedMs: number, pause: (ms: number) => Promise<unknown> = wait): Promise<void> {
  await pause(STEP_MS - (Math.max(0, elapsedMs) % STEP_MS));
}
