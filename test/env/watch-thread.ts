// Another principal: asks again and again, one request after the other, until it is ended. In a thread, so that the senders of large bodies do not delay it.
import { parentPort, workerData } from 'node:worker_threads';
import { type Answered, openClient, type Watched } from './expensive-bodies.ts';

const { port, ask, pauseMs = 0 }: { readonly port: number } & Watched = workerData;
const client = openClient({ port });
const answers: Answered[] = [];
let isOver = false;
parentPort?.once('message', () => {
  isOver = true;
});
do {
  answers.push(await client.send(ask));
  // Also lets the message in.
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
} while (!isOver);
await client.close();
parentPort?.postMessage(answers);
