import { performCheck } from './check/check-command.ts';
import { parseCommand, type Command } from './command.ts';
import { exitCodes, Unusable, type ExitCode } from './exit-code.ts';
import { performRun } from './local/run-command.ts';
import { openTerminal, type Terminal } from './show/terminal.ts';
import { usageOf } from './usage.ts';
import { version } from './version.ts';

async function perform(command: Command, terminal: Terminal): Promise<ExitCode> {
  switch (command.does) {
    case 'Help': {
      const text = usageOf(command.about);
      if (text === undefined) throw new Unusable(`there is no command ${command.about ?? ''}; there are run and check`);
      terminal.out(text);
      return exitCodes.Succeeded;
    }
    case 'Version':
      terminal.out(`${version()}\n`);
      return exitCodes.Succeeded;
    case 'Run':
      return performRun(command, terminal);
    case 'Check':
      return performCheck(command, terminal);
  }
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const mayColour = !argv.includes('--no-color');
  const terminal = openTerminal(mayColour);
  try {
    return await perform(parseCommand(argv), terminal);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    terminal.err(`arpeggio: ${error.message}\n`);
    return exitCodes.Unusable;
  }
}

// Not process.exit: what was written to a pipe must be read first.
process.exitCode = await main(process.argv.slice(2));
