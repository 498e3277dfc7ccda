/**
 * The first SIGTERM or SIGINT since this module was loaded. It is loaded before all others: as the first process of its
 * container the worker would be sent a signal in vain while nobody listens, and would go on taking tasks in a pod that was
 * asked to go (pid_namespaces(7)).
 */
export const stopSignal: Promise<'SIGTERM' | 'SIGINT'> = new Promise((resolve) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
});
