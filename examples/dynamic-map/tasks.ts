type Chapter = { readonly title: string; readonly paragraphs: number };
type Count = { readonly title: string; readonly words: number };

const sentence = 'It was a bright cold day in April, and the clocks were striking thirteen.';

/** How many there are is decided here, while the workflow runs. */
export function list_chapters({ chapters }: { chapters: number }): Chapter[] {
  return Array.from({ length: chapters }, (_, index) => ({
    title: `Chapter ${index + 1}`,
    paragraphs: 1 + ((index * 7) % 11),
  }));
}

export function read_chapter({ title, paragraphs }: Chapter): { title: string; text: string } {
  return { title, text: Array.from({ length: paragraphs }, () => sentence).join('\n') };
}

export function count_words({ title, text }: { title: string; text: string }): Count {
  return { title, words: text.split(/\s+/).length };
}

export function longest_chapter(counts: Count[]): { chapters: number; words: number; longest: string } {
  const [first, ...others] = counts;
  if (first === undefined) return { chapters: 0, words: 0, longest: '' };
  const longest = others.reduce((best, each) => (each.words > best.words ? each : best), first);
  return { chapters: counts.length, words: counts.reduce((sum, { words }) => sum + words, 0), longest: longest.title };
}

/** Too small for a message of its own: sent in chunks. */
export function is_prime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) return false;
  return n > 1;
}

export function count_true(answers: boolean[]): number {
  return answers.filter(Boolean).length;
}
