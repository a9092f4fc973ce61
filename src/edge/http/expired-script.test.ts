import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { renderBarScript } from './bar-script.ts';
import { renderExpiredScript, SIGNING_OUT } from './expired-script.ts';

type Observe = (list: { getEntries(): { responseStatus: number; name: string }[] }) => void;

/** Runs the script in a page. Returns the addresses that it opened, and functions that trigger events in it. */
function runInPage() {
  const left: string[] = [];
  let observe: Observe | undefined;
  const page = new EventTarget();
  runInNewContext(renderExpiredScript('/.lictor/login'), {
    location: { origin: 'https://lictor.example', pathname: '/runs', search: '?x=1', assign: (address: string) => left.push(address) },
    addEventListener: page.addEventListener.bind(page),
    PerformanceObserver: class {
      constructor(callback: Observe) {
        observe = callback;
      }
      observe(): void {}
    },
  });
  const answered = (responseStatus: number, name: string): void => observe?.({ getEntries: () => [{ responseStatus, name }] });
  return { left, answered, signOut: () => page.dispatchEvent(new Event(SIGNING_OUT)) };
}

describe('a page whose session has ended', () => {
  it('goes to the login page once, only for a 401 of its origin', () => {
    const { left, answered } = runInPage();
    answered(200, 'https://lictor.example/api/flows');
    answered(401, 'https://elsewhere.example/api/flows');
    expect(left).toEqual([]);
    answered(401, 'https://lictor.example/api/flows');
    answered(401, 'https://lictor.example/api/flows');
    expect(left).toEqual(['/.lictor/login?return=%2Fruns%3Fx%3D1']);
  });

  it('stays while the bar signs out, so that the answer of the logout arrives', () => {
    const { left, answered, signOut } = runInPage();
    signOut();
    answered(401, 'https://lictor.example/api/flows');
    expect(left).toEqual([]);
    expect(renderBarScript({ me: '', account: '', console: '', logout: '' })).toContain(`'submit', () => dispatchEvent(new Event('${SIGNING_OUT}'))`);
  });
});
