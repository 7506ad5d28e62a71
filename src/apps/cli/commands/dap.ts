import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command } from 'commander';
import { asTyped } from '../../../command.js';
import type { DebugAddress } from '../../../debug/listen/index.js';
import { ConfigError } from '../../../errors.js';
import type { AccessRules } from '../../dap/access-rules.js';
import { requireWritable } from '../../frontend/output-file.js';
import { parsePort } from '../../frontend/values.js';

const examples = `
Examples:
  $ terrarium dap --install-vscode     once: VS Code knows the type "terrarium" from then on
  $ terrarium new my-kernel            .vscode/launch.json is in it: F5
  $ terrarium dap --vsix terrarium.vsix    the extension as a file, for other editors based on VS Code
  $ terrarium dap                      what an editor starts: the protocol over stdin and stdout
  $ terrarium dap --socket ./dap.sock  for editors that connect: a UNIX socket that only you can use
  $ terrarium dap --port 4711          the same at a port of this computer, with a token for launch.json
`;

/** The environment variable with the user's own token. On the command line, other users of the computer could see it. */
const TOKEN = 'TERRARIUM_DAP_TOKEN';

interface DapFlags {
  port?: number;
  socket?: string;
  device: string[];
  installVscode?: true;
  code: string;
  vsix?: string;
}

export function dapCommand(): Command {
  return new Command('dap')
    .usage('[options]')
    .description('A debug adapter: VS Code and other editors debug guests through it (docs/vscode.md).')
    .option('--socket <file>', 'listen on a UNIX socket instead of stdin and stdout; only you can connect')
    .option(
      '--port <n>',
      `listen on a port of 127.0.0.1; 0: any. Clients need the token that is printed, or that ${TOKEN} gives`,
      parsePort,
    )
    .option(
      '--device <module>',
      'let clients at the socket or port load this device or hypercall module; may repeat',
      (file: string, before: string[]) => [...before, file],
      [] as string[],
    )
    .option('--install-vscode', 'install the extension for Terrarium in VS Code')
    .option('--code <command>', "VS Code's command for --install-vscode: code, codium", 'code')
    .option('--vsix <file>', 'write that extension to a file')
    .addHelpText('before', asTyped(examples.trimStart()))
    .action(async ({ installVscode, code, vsix, ...flags }: DapFlags) => {
      if (vsix !== undefined || installVscode) {
        if (vsix !== undefined) requireWritable('--vsix', vsix);
        const { installExtension, writeExtension } = await import('../../dap/install.js');
        if (vsix !== undefined) writeExtension(vsix);
        if (installVscode) installExtension(code);
        return;
      }
      const { serveConnections, serveStdio } = await import('../../dap/serve.js');
      const { port, socket, device } = flags;
      if (port !== undefined && socket !== undefined)
        throw new ConfigError('--port and --socket exclude each other', 'take one of them');
      const modules = new Set(device.map((file) => pathToFileURL(path.resolve(file)).href));
      if (socket !== undefined) await listen({ path: socket }, { modules }, serveConnections);
      else if (port !== undefined) await listen({ port }, { modules, token: newToken() }, serveConnections);
      else serveStdio();
    });
}

function newToken(): string {
  return process.env[TOKEN] || randomBytes(16).toString('hex');
}

async function listen(
  address: DebugAddress,
  access: AccessRules,
  serve: (address: DebugAddress, access: AccessRules) => Promise<number | string>,
): Promise<void> {
  const asked = 'port' in address ? `port ${address.port}` : address.path;
  try {
    const where = await serve(address, access);
    const told = typeof where === 'number' ? `127.0.0.1:${where}` : where;
    process.stderr.write(`terrarium: waiting for an editor at ${told}; Ctrl-C ends it\n`);
    if (access.token !== undefined && process.env[TOKEN] !== access.token)
      process.stderr.write(`terrarium: its launch configuration needs "token": "${access.token}"\n`);
  } catch (error) {
    const hint =
      'port' in address
        ? 'take another port'
        : 'name a file that does not exist yet, in a folder where you may write';
    throw new ConfigError(`cannot listen on ${asked}: ${(error as Error).message}`, hint);
  }
}
