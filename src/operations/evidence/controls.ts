// The criteria and controls of each section: SOC 2 (Trust Services Criteria) and ISO/IEC 27001:2022, Annex A.
//
// The rows come from secondary crosswalks, not from the texts of AICPA and ISO. docs/how-to/evidence.md says that an auditor must confirm them.

export interface Supports {
  readonly soc2: readonly string[];
  readonly iso: readonly string[];
}

export const SUPPORTS = {
  access: { soc2: ['CC6.1', 'CC6.3'], iso: ['5.15', '5.18', '8.2', '8.3'] },
  unused: { soc2: ['CC6.3'], iso: ['5.18', '8.2'] },
  lifecycle: { soc2: ['CC6.2'], iso: ['5.16', '5.18'] },
  authentication: { soc2: ['CC6.1'], iso: ['5.16', '5.17', '8.5'] },
  tokens: { soc2: ['CC6.1', 'CC6.7'], iso: ['5.17', '8.5'] },
  changes: { soc2: ['CC8.1'], iso: ['8.9', '8.32'] },
  denials: { soc2: ['CC6.1', 'CC7.2'], iso: ['8.15', '8.16'] },
  incidents: { soc2: ['CC7.3', 'CC7.4'], iso: ['5.24', '5.25', '5.26', '5.28', '8.2'] },
  approvals: { soc2: ['CC6.3', 'CC8.1'], iso: ['5.18', '8.32'] },
  ledger: { soc2: ['CC7.2', 'CC7.3'], iso: ['5.28', '8.15', '8.16'] },
  boundary: { soc2: ['CC6.6', 'CC6.7'], iso: ['5.14', '8.20', '8.21', '8.22', '8.24'] },
  software: { soc2: ['CC6.8', 'CC8.1'], iso: ['8.9', '8.19'] },
  coverage: { soc2: ['CC6.1', 'CC6.3'], iso: ['5.15', '8.3'] },
} as const satisfies Record<string, Supports>;

/** What no gateway can show, so that no reader takes the report for complete. */
export const OUTSIDE: readonly (readonly [what: string, who: string])[] = [
  ['CC6.4, CC6.5; ISO 7.x, 8.10: premises, disposal of media and data', 'your hosting, and your own procedures'],
  [
    'CC6.2; ISO 5.16, 6.5: who is hired and leaves, and when the identity provider is updated',
    'human resources and the identity provider; this report shows only changes at the gateway',
  ],
  ['CC6.1; ISO 8.5: how the identity provider authenticates people (second factors, password rules)', 'the identity provider'],
  ['CC6.6; ISO 8.20: that clients cannot bypass the gateway', 'your network rules; lictor doctor tries some ways past the gateway, now and not for the period'],
  ['CC6.8, CC7.1; ISO 8.7, 8.8: malware, patches and weaknesses of machines, workers and images', 'your vulnerability management'],
  ['CC7.2; ISO 8.17: that the clock of this machine is right', 'your time synchronisation; times in this report are those of the machine'],
  ['CC7.4, CC7.5; ISO 5.26, 5.29, 5.30: how an incident was handled, and recovery', 'your incident records; the ledger has the facts'],
  ['The actions of flow code on its workers, and the content of Prefect\u2019s database', 'code review, the workers\u2019 own controls, Prefect'],
  ['CC1 to CC5, CC9, and the criteria on availability, confidentiality, processing integrity and privacy as a whole', 'the organisation'],
];

export function supportsWords({ soc2, iso }: Supports): string {
  return `Supports evidence for SOC 2 ${soc2.join(', ')}; ISO/IEC 27001:2022 ${iso.map((control) => `A.${control}`).join(', ')}`;
}
