// What a demo shows of its people and of the sample run.
import { expect } from 'vitest';

export function expectSample(output: string, port: number): void {
  expect(output).toMatch(/^alice {2}\S+ {2}admin$/m);
  expect(output).toMatch(/^bob {2}\S+ {2}operator$/m);
  expect(output).toMatch(/^carol {2}\S+ {2}viewer$/m);
  expect(output).toMatch(/^token {2}lct_[0-9a-z]+$/m);
  expect(output).toMatch(/download time: \d+\.\d s/);
  const end = output.slice(output.indexOf('Run '));
  expect(end).toMatch(/alice@local/);
  expect(end).toContain('127.0.0.1');
  expect(end).toMatch(/request [0-9a-f]{32}/);
  expect(end).toContain('Completed');
  expect(end).toContain(`http://localhost:${port}/`);
}
