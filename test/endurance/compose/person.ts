// A person of compose.test.ts: `node person.ts URL NAME PASSWORD DEPLOYMENT` logs in, runs the deployment, and prints the run. It runs in the network of Docker.
import { z } from 'zod';
import { logIn } from '../../../demo/log-in.ts';
import { callerWith } from '../../../demo/prefect-api.ts';
import { runSample } from '../../../demo/run.ts';

const [url = '', name = '', password = '', deployment = ''] = process.argv.slice(2);
const alice = { name, password, role: 'admin' };
const call = callerWith(url, await logIn(url, alice));
const { id } = z.object({ id: z.string() }).parse(await call('GET', `/deployments/name/${deployment}`));
console.log(JSON.stringify((await runSample(url, alice, id, () => undefined)).run));
