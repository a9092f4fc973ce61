// Password hashes and the line in front of them.
import { describe, expect, it } from 'vitest';
import { cpuMsOf } from '../../../../test/env/cpu-time.ts';
import { createPasswords, LONGEST_PASSWORD, parsePhc } from './password.ts';

const PLACE = { from: '192.0.2.1', isKnown: false };

describe('a password', () => {
  it('is right against its own hash and wrong against any other', async () => {
    const passwords = createPasswords();
    const phc = await passwords.hash('correct horse');
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.check('correct horse', phc, PLACE)).toBe('right');
    expect(await passwords.check('correct horsf', phc, PLACE)).toBe('wrong');
    expect(await passwords.check('', phc, PLACE)).toBe('wrong');
    expect(await passwords.hash('correct horse')).not.toBe(phc);
  });

  it('is the same in another Unicode form', async () => {
    const passwords = createPasswords();
    expect(await passwords.check('cafe\u0301-cafe', await passwords.hash('caf\u00e9-cafe'), PLACE)).toBe('right');
  });

  it('is wrong for an unknown account, for a broken hash, and if it is too long', async () => {
    const passwords = createPasswords();
    expect(await passwords.check('correct horse', null, PLACE)).toBe('wrong');
    expect(await passwords.check('correct horse', '', PLACE)).toBe('wrong');
    const long = 'x'.repeat(LONGEST_PASSWORD + 1);
    expect(await passwords.check(long, await passwords.hash(long), PLACE)).toBe('wrong');
  });

  it('takes as long for an unknown account as for a known one', async () => {
    const passwords = createPasswords();
    const phc = await passwords.hash('correct horse');
    const time = (known: string | null): Promise<number> =>
      cpuMsOf(async () => {
        for (let index = 0; index < 5; index += 1) await passwords.check('wrong', known, PLACE);
      });
    const [known, unknown] = [await time(phc), await time(null)];
    expect(unknown).toBeGreaterThan(known / 3);
  });

  it('waits in a bounded queue: beyond it the answer is busy, and the queue empties', async () => {
    const passwords = createPasswords(4);
    const phc = await passwords.hash('correct horse');
    const answers = await Promise.all(Array.from({ length: 10 }, () => passwords.check('correct horse', phc, PLACE)));
    expect(answers.filter((answer) => answer === 'right')).toHaveLength(6);
    expect(answers.filter((answer) => answer === 'busy')).toHaveLength(4);
    expect(await passwords.check('correct horse', phc, PLACE)).toBe('right');
  }, 30_000);
});

describe('a PHC text', () => {
  const good = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  it('is read with its cost', () => expect(parsePhc(good)?.cost).toEqual({ memory: 19_456, passes: 2, parallelism: 1 }));
  it.each([
    ['another algorithm', good.replace('argon2id', 'argon2i')],
    ['another version', good.replace('19', '16')],
    ['no passes', good.replace('t=2', 't=0')],
    ['a short tag', good.slice(0, -1)],
    ['something behind', `${good}$`],
    ['too little memory', good.replace('19456', '7')],
  ])('is refused with %s', (_name, text) => expect(parsePhc(text)).toBeUndefined());
});
