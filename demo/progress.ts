// Shows what is going on: one line that moves on a terminal, plain lines elsewhere.
// Not the spinner of @clack/prompts: it puts the terminal into raw mode and answers Ctrl-C with process.exit(0), past our own stop.
import type { Writable } from 'node:stream';

type Work<T> = (update: (text: string) => void) => Promise<T>;

export interface Progress {
  /** Shows `doing` until the work is over, then what `done` makes of its result. A failure is shown and passed on. */
  step<T>(doing: string, work: Work<T>, done: (result: T) => string): Promise<T>;
  line(text: string): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 100;
const CLEAR_LINE = '\r\x1b[K';

export function createProgress(out: Writable): Progress {
  const isTerminal = 'isTTY' in out && out.isTTY === true;
  const line = (text: string): void => void out.write(`${text}\n`);
  return {
    line,
    step: async (doing, work, done) => {
      const shown = isTerminal ? spin(out, doing) : announce(line, doing);
      try {
        const result = await work(shown.update);
        shown.end();
        line(isTerminal ? `✓ ${done(result)}` : done(result));
        return result;
      } catch (error) {
        shown.end();
        line(`${doing}: failed`);
        throw error;
      }
    },
  };
}

interface Shown {
  update(text: string): void;
  end(): void;
}

function announce(line: (text: string) => void, doing: string): Shown {
  line(`${doing} ...`);
  return { update: (text) => line(`  ${text}`), end: () => {} };
}

function spin(out: Writable, doing: string): Shown {
  const started = performance.now();
  let detail = '';
  let frame = 0;
  const draw = (): void => {
    const seconds = Math.floor((performance.now() - started) / 1000);
    out.write(`${CLEAR_LINE}${FRAMES[frame++ % FRAMES.length]} ${doing}${detail} (${seconds} s)`);
  };
  draw();
  const timer = setInterval(draw, FRAME_MS);
  return {
    update: (text) => {
      detail = `: ${text}`;
    },
    end: () => {
      clearInterval(timer);
      out.write(CLEAR_LINE);
    },
  };
}
