/** The queue of every task, and the one that `escalateTo` may name for its retries. */
export const usualQueue = 'default';
export const retryQueue = 'large';
