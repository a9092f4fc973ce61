// The output of programs that run beside each other, on one stream: their lines are not mixed.
import { Writable } from 'node:stream';

/** Hands on what was written up to the last end of a line, at once; the rest when more comes, or at the end. */
export class WholeLines extends Writable {
  private readonly out: NodeJS.WritableStream;
  private rest = '';

  constructor(out: NodeJS.WritableStream) {
    super({ decodeStrings: false });
    this.out = out;
  }

  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    const text = this.rest + String(chunk);
    const end = text.lastIndexOf('\n') + 1;
    this.rest = text.slice(end);
    if (end > 0) this.out.write(text.slice(0, end));
    done();
  }

  override _final(done: () => void): void {
    if (this.rest !== '') this.out.write(`${this.rest}\n`);
    done();
  }
}
