import { describe, expect, it } from 'vitest';
import { renderPicture, timelineOf } from './picture.ts';

const OUTPUT = `alice  secret  admin
token  lct_secret

  calm-owl  Completed  2.0s  7c8f5491
  started by alice@local from 127.0.0.1

    AFTER  WHO          ACTION                 BINDING
  +0.000s  alice@local  deployments.run   201  verified
  +0.067s  alice@local  7x flow_runs.read 200  verified
  +0.100s    = <Completed>

65 entries; reads are counted.
`;

describe('the picture of a timeline', () => {
  it('has the run, its changes and states, and counts the reads that it leaves out', () => {
    const lines = timelineOf(OUTPUT);
    expect(lines[0]).toContain('calm-owl');
    expect(lines.join('\n')).not.toContain('flow_runs.read');
    expect(lines.at(-1)).toMatch(/^1 lines? of reads/);
  });

  it('has no credential, and no text that a browser reads as a tag', () => {
    const picture = renderPicture('./lictor timeline 7c8f5491', timelineOf(OUTPUT));
    expect(picture).not.toContain('secret');
    expect(picture).toContain('&lt;Completed');
  });

  it('is none where the output has no timeline', () => {
    expect(() => timelineOf('alice  secret  admin\n')).toThrow('no timeline');
  });
});
