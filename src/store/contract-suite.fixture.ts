// What every store must do, whatever is behind it: a backend's test calls this with its own way to open one.
import { afterEach, beforeEach, describe } from 'vitest';
import type { Clock } from '../contract/clock.ts';
import { agentRunCases, agentUseCases } from './contract-suite/agents.fixture.ts';
import { accountCases, identityCases, scopeCases } from './contract-suite/people.fixture.ts';
import {
  cacheGenerationCases,
  changeNumberCases,
  knownFlowCases,
  leaseCases,
  lockCases,
  markCases,
  observationCases,
  policySetCases,
  taintCases,
} from './contract-suite/records.fixture.ts';
import { attemptCases, identitySessionCases, sessionCases } from './contract-suite/sessions.fixture.ts';
import { ledgerExportCases, ledgerShelfCases } from './contract-suite/shelf.fixture.ts';
import { accessTokenCases, tokenCases } from './contract-suite/tokens.fixture.ts';
import type { StoreUnderTest } from './contract-suite/under-test.fixture.ts';

export function describeStoreContract(name: string, open: (clock: Clock) => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let under: StoreUnderTest;
    let nowMs = 0;
    beforeEach(async () => {
      nowMs = 1_700_000_000_000;
      under = await open(() => nowMs);
    });
    afterEach(() => under.cleanUp());
    const advance = (ms: number): void => {
      nowMs += ms;
    };
    describe('change number', () => changeNumberCases(() => under));
    describe('tokens', () => tokenCases(() => under, advance));
    describe('accounts', () => accountCases(() => under, advance));
    describe('sessions', () => sessionCases(() => under, advance));
    describe('login attempts', () => attemptCases(() => under, advance));
    describe('identities', () => identityCases(() => under));
    describe('sessions of identities', () => identitySessionCases(() => under, advance));
    describe('marks', () => markCases(() => under, advance));
    describe('locks', () => lockCases(() => under, advance));
    describe('access tokens', () => accessTokenCases(() => under, advance));
    describe('scopes and makers', () => scopeCases(() => under));
    describe('purges of response caches', () => cacheGenerationCases(() => under));
    describe('known flows', () => knownFlowCases(() => under, advance));
    describe('ledgers of all nodes', () => ledgerShelfCases(() => under));
    describe('positions of sinks', () => ledgerExportCases(() => under, advance));
    describe('leases', () => leaseCases(() => under, advance));
    describe('uses of agents', () => agentUseCases(() => under, advance));
    describe('runs of agents', () => agentRunCases(() => under, advance));
    describe('observations', () => observationCases(() => under, advance));
    describe('taints', () => taintCases(() => under, advance));
    describe('policy sets', () => policySetCases(() => under, advance));
  });
}
