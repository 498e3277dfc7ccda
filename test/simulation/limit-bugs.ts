import type { RunPorts } from '#operator/runs/run-ports.ts';
import type { RunSettings } from '#operator/runs/run-settings.ts';
import type { PlantedBug } from './planted-bug.ts';

/** Bugs in what bounds a run: its timers, how much of it goes on at once, whether it goes on at all. */
export const limitBugs: Readonly<Record<string, PlantedBug>> = {
  earlyTimer: {
    what: 'a timer goes off 400 ms early, and whoever set it believes that its time has come',
    within: 300,
    options: { kinds: [], ports: earlyTimer },
  },
  lateTimer: {
    what: 'a timer goes off 400 ms late',
    within: 300,
    options: { kinds: [], ports: lateTimer },
  },
  oneTooMany: {
    what: 'maxParallel is taken for how many tasks may be in flight when one more is sent',
    within: 300,
    options: { kinds: [], asked: oneTooMany },
  },
  deafToSuspend: {
    what: 'suspend is heard and forgotten',
    within: 500,
    options: { kinds: [], asked: (settings) => ({ ...settings, suspended: false }) },
  },
  boundlessWindow: {
    what: 'a queue is taken to have a hundred workers',
    within: 500,
    options: { kinds: [], ports: (ports) => ({ ...ports, slotsOf: () => 100 }) },
  },
};

const aheadMs = 400;

function earlyTimer(ports: RunPorts): RunPorts {
  const { clock } = ports;
  let believedAtMs: number | undefined;
  return {
    ...ports,
    clock: {
      ...clock,
      nowMs: () => (clock.nowMs() === believedAtMs ? believedAtMs + aheadMs : clock.nowMs()),
      // A shorter one is let be: it would go off again and again.
      after: (delayMs, call) =>
        clock.after(delayMs > aheadMs ? delayMs - aheadMs : delayMs, () => {
          if (delayMs > aheadMs) believedAtMs = clock.nowMs();
          call();
        }),
    },
  };
}

function lateTimer(ports: RunPorts): RunPorts {
  const { clock } = ports;
  return { ...ports, clock: { ...clock, after: (delayMs, call) => clock.after(delayMs + aheadMs, call) } };
}

function oneTooMany(settings: RunSettings): RunSettings {
  const { maxParallel } = settings;
  return maxParallel === undefined ? settings : { ...settings, maxParallel: maxParallel + 1 };
}
