// Requests by HTTP/2 over TLS to a server with any certificate.
import { connect, type OutgoingHttpHeaders } from 'node:http2';

/** The status of a GET. */
export function askHttp2(port: number, maxVersion: 'TLSv1.2' | 'TLSv1.3', headers: OutgoingHttpHeaders): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://localhost:${port}`, { rejectUnauthorized: false, maxVersion });
    session.once('error', reject);
    const stream = session.request({ ':path': '/api/flows/filter', ...headers });
    stream.once('error', reject);
    stream.once('response', (answer) => {
      session.destroy();
      resolve(answer[':status']);
    });
    stream.end();
  });
}

/** The answer to a POST whose body says no length, as HTTP/2 allows. */
export function postHttp2(port: number, headers: OutgoingHttpHeaders, body: Buffer): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
    session.once('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': '/api/flows/filter', 'content-type': 'application/json', ...headers });
    let status: number | undefined;
    let text = '';
    // A server that refuses may reset the stream while it is written.
    stream.on('error', () => undefined);
    stream.once('response', (answer) => {
      status = answer[':status'];
    });
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    stream.once('close', () => {
      session.destroy();
      resolve({ status, text });
    });
    stream.end(body);
  });
}
