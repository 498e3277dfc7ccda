import type { RunState } from './run-state.ts';

/** The state of a run in which nothing has happened. */
export function initialState(begunAtMs: number): RunState {
  return {
    slots: new Uint8Array(0),
    kept: new Map(),
    maps: new Map(),
    cancelled: '',
    begunAtMs,
    items: new Map(),
    admitted: new Set(),
  };
}
