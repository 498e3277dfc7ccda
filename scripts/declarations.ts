import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { ROOT } from './command.ts';

/** Short forms of `imports` in package.json, which only this repository knows. */
const aliases: Readonly<Record<string, string>> = {
  '#core/': 'core/',
  '#io/': 'io/',
  '#operator/': 'operator/',
  '#worker/': 'worker-image/',
  '#cli/': 'cli/',
};

const importing = /(from |import\()(['"])([^'"]+)\2/g;

/**
 * The types that users of the package see, by path: those of the entries and whatever they lead to. Throws when one
 * leads out of the repository, for the package brings nothing with it.
 */
export function declarationsOf(entries: readonly string[]): ReadonlyMap<string, string> {
  const emitted = emit(entries);
  const wanted = new Map<string, string>();
  const visit = (path: string): void => {
    if (wanted.has(path)) return;
    const text = emitted.get(path);
    if (text === undefined) throw new Error(`no types were made for ${path}`);
    const targets: string[] = [];
    const rewritten = text.replaceAll(importing, (_all, before: string, quote: string, name: string) => {
      const source = sourceOf(name, path);
      if (source === undefined) return `${before}${quote}${name}${quote}`;
      targets.push(source.replace(/\.ts$/, '.d.ts'));
      const way = relative(dirname(path), source).replace(/\.ts$/, '.js');
      return `${before}${quote}${way.startsWith('.') ? way : `./${way}`}${quote}`;
    });
    wanted.set(path, rewritten);
    targets.forEach(visit);
  };
  for (const entry of entries) visit(entry.replace(/\.ts$/, '.d.ts'));
  return wanted;
}

/** The source that an import means; undefined for one of Node's own modules. */
function sourceOf(name: string, from: string): string | undefined {
  if (name.startsWith('node:')) return undefined;
  const alias = Object.keys(aliases).find((each) => name.startsWith(each));
  if (alias !== undefined) return `${aliases[alias] ?? ''}${name.slice(alias.length)}`;
  if (name.startsWith('.')) return join(dirname(from), name);
  throw new Error(`${from}: its types come from ${name}, which users of the package do not have`);
}

function emit(entries: readonly string[]): ReadonlyMap<string, string> {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (path) => ts.sys.readFile(path)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noEmit: false, declaration: true, emitDeclarationOnly: true, removeComments: false },
    ROOT,
  );
  const texts = new Map<string, string>();
  const program = ts.createProgram(
    entries.map((entry) => join(ROOT, entry)),
    { ...options, rootDir: ROOT },
  );
  program.emit(undefined, (path, text) => texts.set(relative(ROOT, path), text));
  return texts;
}
