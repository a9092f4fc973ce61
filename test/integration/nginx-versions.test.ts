// The edge on the oldest nginx that Lictor takes, and on the newest: Debian's. Its stable one: test/endurance/nginx-versions.test.ts.
import { describe } from 'vitest';
import { nginxChecks } from './nginx-versions/checks.ts';

describe.each([
  ['bullseye', 1, 18],
  ['forky', 1, 30],
] as const)('nginx of Debian %s', nginxChecks);
