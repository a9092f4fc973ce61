// The built program has this in place of test/runner/run.ts.
import { UsageError } from '../src/cli/errors.ts';

export function runSuites(): never {
  throw new UsageError('The tests run in a checkout of the sources: ./lictor test.');
}
