import { Command } from 'commander';
import { ConfigError } from '../../../errors.js';
import { parsePort } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium dap --install-vscode     once: VS Code knows the type "terrarium" from then on
  $ terrarium new my-kernel            .vscode/launch.json is in it: F5
  $ terrarium dap --vsix terrarium.vsix    the extension as a file, for other editors of VS Code's kind
  $ terrarium dap                      what an editor starts: the protocol over stdin and stdout
  $ terrarium dap --port 4711          for editors that connect: a port of this computer alone
`;

interface DapFlags {
  port?: number;
  installVscode?: true;
  code: string;
  vsix?: string;
}

export function dapCommand(): Command {
  return new Command('dap')
    .usage('[options]')
    .description('A debug adapter: VS Code and other editors debug guests through it (docs/vscode.md).')
    .option('--port <n>', 'listen on a port of 127.0.0.1 instead of stdin and stdout; 0: any', parsePort)
    .option('--install-vscode', 'have VS Code install the extension that makes it know Terrarium')
    .option('--code <command>', "VS Code's command for --install-vscode: code, codium", 'code')
    .option('--vsix <file>', 'write that extension to a file')
    .addHelpText('before', examples.trimStart())
    .action(async ({ port, installVscode, code, vsix }: DapFlags) => {
      if (vsix !== undefined || installVscode) {
        const { installExtension, writeExtension } = await import('../../dap/install.js');
        if (vsix !== undefined) writeExtension(vsix);
        if (installVscode) installExtension(code);
        return;
      }
      const { servePort, serveStdio } = await import('../../dap/serve.js');
      if (port === undefined) serveStdio();
      else await listen(port, servePort);
    });
}

async function listen(port: number, servePort: (port: number) => Promise<number>): Promise<void> {
  try {
    const found = await servePort(port);
    process.stderr.write(`terrarium: waiting for an editor at 127.0.0.1:${found}; Ctrl-C ends it\n`);
  } catch (error) {
    throw new ConfigError(`cannot listen on port ${port}: ${(error as Error).message}`, 'take another port');
  }
}
