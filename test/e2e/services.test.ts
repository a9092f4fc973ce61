// Row EG-01 in a browser: the page of a hostile service, on the origin of Prefect's UI, is a dead page.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startBrowser, type TestBrowser } from '../env/chromium.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const PAGE = `<!doctype html><title>as sent</title><p id="said">nothing</p>
<script>
  document.title = 'script ran';
  fetch('/api/admin/settings');
  navigator.serviceWorker?.register('/.lictor/svc/evil/worker.js', { scope: '/' });
</script>
<img src="/api/flows/from-an-image"><iframe src="/api/flows/from-a-frame"></iframe><meta http-equiv="refresh" content="0; url=/api/flows/from-a-refresh">`;
const HOSTILE = {
  'content-type': 'text/html',
  'set-cookie': 'lictor=stolen; Path=/',
  'service-worker-allowed': '/',
  'clear-site-data': '"*"',
  refresh: '0; url=/api/flows/x',
};

let prefect: Recorder;
let evil: Recorder;
let gateway: Gateway;
let browser: TestBrowser;

beforeAll(async () => {
  [prefect, evil] = await Promise.all([startRecorder(), startRecorder()]);
  evil.answerWith(() => ({ status: 200, headers: HOSTILE, body: PAGE }));
  const config = { services: [{ name: 'evil', servers: [evil.url] }] };
  [gateway, browser] = await Promise.all([startGateway({ upstream: prefect, config }), startBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await gateway?.close();
  await Promise.all([prefect?.close(), evil?.close()]);
});

it('runs no script, loads nothing, leaves no cookie, and goes nowhere', async () => {
  const { secret } = await gateway.token('somebody', ['admin']);
  const context = await browser.person();
  await context.setExtraHTTPHeaders({ 'x-lictor-token': secret });
  const page = await context.newPage();
  prefect.clear();
  await page.goto(`${gateway.url}/.lictor/svc/evil/page`, { waitUntil: 'load' });
  expect(await page.title()).toBe('as sent');
  expect(page.url()).toBe(`${gateway.url}/.lictor/svc/evil/page`);
  expect(await page.evaluate('window.origin')).toBe('null');
  expect(await context.cookies()).toEqual([]);
  expect(context.serviceWorkers()).toEqual([]);
  expect(prefect.seen().map(({ target }) => target)).toEqual([]);
  await context.close();
});

it('the same page from the service itself does run', async () => {
  const context = await browser.person();
  const page = await context.newPage();
  await page.goto(`${evil.url}/page`, { waitUntil: 'commit' });
  await expect.poll(() => evil.seen().map(({ target }) => target), { timeout: 30_000 }).toContain('/api/admin/settings');
  await context.close();
});
