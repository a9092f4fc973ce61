// The edge on other nginx versions than the machine's, for real: Debian's oldest that Lictor takes, its stable and its testing one.
// One that cannot be had is a failure with its remedy: a version that nobody ran is not supported.
import { beforeAll, describe, expect, it } from 'vitest';
import { atLeast, findNginx } from '../../src/edge/version.ts';
import { bringNginx } from '../env/nginx-versions.ts';
import { edgeEssence } from './edge-essence.ts';

describe.each([
  ['bullseye', 1, 18],
  ['trixie', 1, 26],
  ['forky', 1, 30],
] as const)('nginx of Debian %s', (release, major, minor) => {
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    env = { ...process.env, LICTOR_NGINX: await bringNginx(release) };
  });

  it(`is ${major}.${minor} or newer`, async () => {
    expect(atLeast(await findNginx(env), major, minor, 0)).toBe(true);
  });

  edgeEssence(() => env);
});
