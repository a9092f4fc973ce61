import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEdgeSecret } from './edge-secret.ts';

let root: string;
let paths: { readonly edgeSecret: string };
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edge-secret-'));
  paths = { edgeSecret: join(root, 'keys', 'edge.key') };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('the secret of the edge', () => {
  it('is the same over reloads and starts, in a file of this user alone', () => {
    const secret = openEdgeSecret(paths);
    expect(secret).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(openEdgeSecret(paths)).toBe(secret);
    expect(statSync(paths.edgeSecret).mode & 0o777).toBe(0o600);
  });

  it('is another one after its file was removed', () => {
    const secret = openEdgeSecret(paths);
    rmSync(paths.edgeSecret);
    expect(openEdgeSecret(paths)).not.toBe(secret);
  });
});
