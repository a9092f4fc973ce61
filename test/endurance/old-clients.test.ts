// Each older stock client that people run, before the newest server. The short form: test/integration/old-clients.test.ts.
import { OLDEST, oldClientChecks } from '../integration/old-clients/checks.ts';

oldClientChecks([{ version: '3.8.2', carrier: 'auth-string', hasChannel: true }, { version: '3.7.2', carrier: 'auth-string', hasChannel: true }, OLDEST]);
