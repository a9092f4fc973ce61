import { expect, it } from 'vitest';
import { jsonLines } from './json-lines.ts';

const streamOf = (...parts: readonly string[]) => new Blob([...parts]).stream().pipeThrough(new TransformStream<Uint8Array, Uint8Array>());

async function all(stream: ReadableStream<Uint8Array>): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of jsonLines(stream)) lines.push(line);
  return lines;
}

it('reads each line, wherever the parts of the stream are cut', async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\n{"b":2}\n');
  const cut = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  expect(await all(cut)).toEqual([{ a: 'ü' }, { b: 2 }]);
});

it('leaves out a last line that did not come whole, and rejects what is no JSON', async () => {
  expect(await all(streamOf('{"a":1}\n{"b":'))).toEqual([{ a: 1 }]);
  await expect(all(streamOf('<html>\n'))).rejects.toThrow(SyntaxError);
});
