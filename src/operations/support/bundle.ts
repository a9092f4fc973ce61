// The files of a support bundle, each without secrets.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { Environment } from '../../config/expand.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { openRedactor } from '../../contract/untrusted/redact.ts';
import type { Finding } from '../doctor/finding.ts';
import { configForSupport } from './config-text.ts';
import { lastLines } from './logs.ts';
import { scrapeMetrics } from './metrics.ts';
import { README } from './readme.ts';
import { secretsForSupport } from './secrets.ts';
import { storedIn } from './stored.ts';
import type { Versions } from './versions.ts';

export interface BundleFile {
  readonly name: string;
  readonly text: string;
}

export interface BundleParts {
  readonly config: Config | undefined;
  /** Empty: lictor.yaml cannot be read. */
  readonly configText: string;
  readonly env: Environment;
  readonly paths: StatePaths;
  readonly versions: Versions;
  readonly findings: readonly Finding[];
  /** Lines of each log; 0: no logs. */
  readonly logLines: number;
}

export async function gatherBundle(parts: BundleParts): Promise<readonly BundleFile[]> {
  const { config, configText, paths, versions, findings } = parts;
  const raw: readonly BundleFile[] = [
    { name: 'versions.json', text: json(versions) },
    { name: 'config.yaml', text: configForSupport(configText) },
    { name: 'doctor.json', text: json({ ok: findings.every(({ status }) => status !== 'fail'), findings }) },
    {
      name: 'state.json',
      text: json(
        storedIn(
          paths.root,
          [config?.storeAt ?? paths.storeFile, paths.ledgerFile].filter((at) => typeof at === 'string'),
        ),
      ),
    },
    { name: 'metrics.txt', text: await scrapeMetrics(config?.metrics ?? null) },
    ...edgeFiles(join(paths.edge, 'current')),
    ...logFiles(parts),
  ];
  const redactor = await openRedactor({ known: secretsForSupport(parts) });
  const clean = redactor.redact(raw.map(({ text }) => text));
  return [{ name: 'README.txt', text: README }, ...raw.map(({ name }, index) => ({ name, text: clean[index]?.text ?? '' }))];
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

/** These hold the credential for Prefect, those of services, and the secret between nginx and the control plane. */
const WITH_SECRETS = /secret|credential/;

function edgeFiles(directory: string): readonly BundleFile[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => name.endsWith('.conf') && !WITH_SECRETS.test(name));
  return names.sort().map((name) => ({ name: `nginx/${name}`, text: readFileSync(join(directory, name), 'utf8') }));
}

function logFiles({ paths, logLines }: BundleParts): readonly BundleFile[] {
  if (logLines === 0) return [];
  return [
    { name: 'logs/control.log', text: lastLines(paths.controlLog, logLines) },
    { name: 'logs/edge-error.log', text: lastLines(paths.edgeErrorLog, logLines) },
  ];
}
