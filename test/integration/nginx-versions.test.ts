// The edge on the oldest nginx that Lictor takes, and on the newest: Debian's. Its stable one: test/endurance/nginx-versions.test.ts.
import { describe } from 'vitest';
import { TESTED_NGINX } from '../../src/edge/nginx/version.ts';
import { nginxChecks } from './nginx-versions/checks.ts';

describe.each([
  ['bullseye', ...TESTED_NGINX.oldest],
  ['forky', ...TESTED_NGINX.newest],
] as const)('nginx of Debian %s', nginxChecks);
