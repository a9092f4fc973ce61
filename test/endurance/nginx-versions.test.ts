// The edge on the nginx of Debian's stable release. The oldest and the newest: test/integration/nginx-versions.test.ts.
import { describe } from 'vitest';
import { nginxChecks } from '../integration/nginx-versions/checks.ts';

describe('nginx of Debian trixie', () => nginxChecks('trixie', 1, 26));
