type Labels = Readonly<Record<string, string>>;

/** Whether the labels are those that the selector asks for: `a=b`, `a!=b`, `a` or `!a`, all of them. */
export function isSelected(labels: Labels | undefined, selector: string): boolean {
  return selector
    .split(',')
    .filter((part) => part !== '')
    .every((part) => meets(labels ?? {}, part));
}

function meets(labels: Labels, part: string): boolean {
  const [, key = '', op = '', value = ''] = /^(!?[^=!]+)(==?|!=)?(.*)$/.exec(part) ?? [];
  if (op === '') return key.startsWith('!') ? !(key.slice(1) in labels) : key in labels;
  return (labels[key] === value) === (op !== '!=');
}
