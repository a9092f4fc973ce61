// The oldest stock client before the newest server. Those between: test/endurance/old-clients.test.ts; the newest: stock-client.test.ts.
import { OLDEST, oldClientChecks } from './old-clients/checks.ts';

oldClientChecks([OLDEST]);
