// The thread of scanner.ts: one body after the other.
import { parentPort } from 'node:worker_threads';
import { type Bounds, decodeText, scanText } from './scan.ts';

export interface ScanRequest {
  readonly bytes: Uint8Array;
  readonly bounds: Bounds;
}

parentPort?.on('message', ({ bytes, bounds }: ScanRequest) => {
  parentPort?.postMessage(scanText(decodeText(bytes), bounds));
});
