import { describe, expect, it } from 'vitest';
import { REPORT_STYLE } from './page-style.ts';

/** What stands in the block of the media query. */
const within = (media: string): string => REPORT_STYLE.split(`@media ${media} {`)[1]?.split('\n}')[0] ?? '';

describe('labels and values of the report', () => {
  it('are below each other on a narrow screen', () => {
    expect(within('screen and (max-width: 40rem)')).toContain('dl div { grid-template-columns: 1fr;');
  });

  it('are beside each other on a wide one and on paper', () => {
    expect(REPORT_STYLE).toContain('\ndl div { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr;');
    expect(within('print')).toContain('dl div { grid-template-columns: 42mm 1fr;');
  });
});
