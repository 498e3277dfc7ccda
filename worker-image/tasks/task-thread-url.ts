/** Where the thread's program is: beside this file, in the sources and in the bundle. */
export const taskThreadUrl = new URL(
  import.meta.url.endsWith('.ts') ? './task-thread.ts' : './task-thread.mjs',
  import.meta.url,
);
