import { expect, test } from 'vitest';
import { HomeClock } from '#operator/runs/home-clock.ts';

/** One question and its answer: when asked and answered by our clock, and what the server's clock said. */
interface Question {
  readonly askedMs: number;
  readonly serverMs: number;
  readonly answeredMs: number;
}

async function aheadAfter(questions: readonly Question[]): Promise<number> {
  let nowMs = 0;
  let server: Question = { askedMs: 0, serverMs: 0, answeredMs: 0 };
  const ask = (): Promise<number> => {
    nowMs = server.answeredMs;
    return Promise.resolve(server.serverMs);
  };
  const clock = { nowMs: () => nowMs, after: () => () => undefined, soon: () => undefined };
  const home = new HomeClock({ nowMs: ask }, clock);
  for (const question of questions) {
    server = question;
    nowMs = question.askedMs;
    await home.measure();
  }
  return home.nowMs() - nowMs;
}

const quick: Question = { askedMs: 0, serverMs: 1_005, answeredMs: 10 };

test.each([
  { what: 'is behind the server by no more than an answer takes, never ahead', questions: [quick], ahead: 995 },
  {
    what: 'is not spoilt by an answer that was long on its way',
    questions: [quick, { askedMs: 100, serverMs: 1_101, answeredMs: 8_100 }],
    ahead: 995,
  },
  {
    what: 'nor by a question that was',
    questions: [quick, { askedMs: 100, serverMs: 9_098, answeredMs: 8_100 }],
    ahead: 998,
  },
  {
    what: 'comes closer with quicker answers',
    questions: [quick, { askedMs: 100, serverMs: 1_101, answeredMs: 102 }],
    ahead: 999,
  },
  {
    what: 'follows a clock that was set back',
    questions: [quick, { askedMs: 100, serverMs: 51, answeredMs: 102 }],
    ahead: -49,
  },
])('the clock of a home $what', async ({ questions, ahead }) => {
  expect(await aheadAfter(questions)).toBe(ahead);
});
