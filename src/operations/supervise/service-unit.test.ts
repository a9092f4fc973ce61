import { expect, it } from 'vitest';
import { foreignService } from './service-unit.ts';

const between = (theirs: string, ours: string) => foreignService(7, (pid) => (pid === 'self' ? ours : theirs));
const SERVICE = '0::/system.slice/lictor.service\n';
const SHELL = '0::/user.slice/user-0.slice/session-3.scope\n';

it('names the service of a gateway that a shell would replace', () => expect(between(SERVICE, SHELL)).toBe('lictor.service'));

it('names it with version 1 of cgroups too', () =>
  expect(between('12:pids:/x\n1:name=systemd:/system.slice/lictor.service\n', '1:name=systemd:/\n')).toBe('lictor.service'));

it.each([
  ['the same service', SERVICE, SERVICE],
  ['a gateway of a shell', SHELL, SERVICE],
  ['a machine without systemd', '0::/\n', '0::/\n'],
  ['an ended process', '', SHELL],
])('names none for %s', (_name, theirs, ours) => expect(between(theirs, ours)).toBeUndefined());
