/** What the first caller of each page gets. Workers name an exception by its class, and `retry.for` asks for that name. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

const asked = new Set<string>();

/** A page of a slow site: whoever asks for it first, in each thread of each worker, waits in vain. */
export function fetch_page(site: string, page: string): { site: string; page: string; bytes: number } {
  const url = `${site}/${page}`;
  if (!asked.has(url)) {
    asked.add(url);
    throw new TimeoutError(`${url} did not answer`);
  }
  return { site, page, bytes: url.length * 100 };
}

export function add_up_pages(pages: readonly { bytes: number }[]): { pages: number; bytes: number } {
  return { pages: pages.length, bytes: pages.reduce((sum, { bytes }) => sum + bytes, 0) };
}
