// `node packaging/image/oci-layout.ts DIRECTORY CONTAINERFILE`: completes the OCI layout that buildah wrote: the health check, which buildah
// leaves out of this format, and the manifest that older releases of `docker load` read.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const REFERENCE = z.looseObject({ digest: z.string(), size: z.number() });
const INDEX = z.looseObject({ manifests: z.tuple([z.looseObject({ ...REFERENCE.shape, annotations: z.record(z.string(), z.string()) })]) });
const MANIFEST = z.looseObject({ config: REFERENCE, layers: z.array(REFERENCE) });
const IMAGE = z.looseObject({ config: z.looseObject({}) });

function complete(directory: string, containerfile: string): void {
  const read = (name: string): unknown => JSON.parse(readFileSync(join(directory, name), 'utf8'));
  const write = (name: string, value: unknown): void => writeFileSync(join(directory, name), JSON.stringify(value));
  /** Writes it in the place of another blob. */
  const replace = (old: z.infer<typeof REFERENCE>, value: unknown): z.infer<typeof REFERENCE> => {
    rmSync(join(directory, blobOf(old)));
    const text = JSON.stringify(value);
    const reference = { ...old, digest: `sha256:${createHash('sha256').update(text).digest('hex')}`, size: Buffer.byteLength(text) };
    writeFileSync(join(directory, blobOf(reference)), text);
    return reference;
  };
  const index = INDEX.parse(read('index.json'));
  const [entry] = index.manifests;
  const manifest = MANIFEST.parse(read(blobOf(entry)));
  const image = IMAGE.parse(read(blobOf(manifest.config)));
  const config = replace(manifest.config, { ...image, config: { ...image.config, Healthcheck: healthcheckOf(readFileSync(containerfile, 'utf8')) } });
  const name = entry.annotations['org.opencontainers.image.ref.name'];
  const annotations = { ...entry.annotations, 'io.containerd.image.name': name };
  write('index.json', { ...index, manifests: [{ ...replace(entry, { ...manifest, config }), annotations }] });
  write('manifest.json', [{ Config: blobOf(config), RepoTags: [name], Layers: manifest.layers.map(blobOf) }]);
}

function blobOf({ digest }: { readonly digest: string }): string {
  return join('blobs', digest.replace(':', '/'));
}

/** As Docker writes it: in nanoseconds. */
function healthcheckOf(containerfile: string): object {
  const [, interval, timeout, startPeriod, command] =
    /^HEALTHCHECK --interval=(\d+)s --timeout=(\d+)s --start-period=(\d+)s CMD (.*)$/m.exec(containerfile) ?? [];
  if (command === undefined) throw new Error(`${containerfile} has no HEALTHCHECK with --interval, --timeout and --start-period in seconds`);
  const nanoseconds = (seconds: string | undefined): number => Number(seconds) * 1_000_000_000;
  const words: readonly string[] = JSON.parse(command);
  return { Test: ['CMD', ...words], Interval: nanoseconds(interval), Timeout: nanoseconds(timeout), StartPeriod: nanoseconds(startPeriod) };
}

const [directory, containerfile] = process.argv.slice(2);
if (directory === undefined || containerfile === undefined) throw new Error('node packaging/image/oci-layout.ts DIRECTORY CONTAINERFILE');
complete(directory, containerfile);
