// Tells VS Code how to start Terrarium's debug adapter, `terrarium dap`.
const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

/** The command that starts Terrarium; the first of: the setting, the folder's own, the one that installed this extension, the one in PATH. */
function commandFor(folder) {
  const said = vscode.workspace.getConfiguration('terrarium', folder).get('command', []);
  if (said.length > 0) return said;
  const own = folder && path.join(folder.uri.fsPath, 'node_modules', '.bin', 'terrarium');
  if (own && existsSync(own)) return [own];
  try {
    const words = JSON.parse(readFileSync(path.join(__dirname, 'terrarium.json'), 'utf8'));
    if (existsSync(words.at(-1))) return words;
  } catch {
    // Not installed by `terrarium dap --install-vscode`.
  }
  return ['terrarium'];
}

const adapters = {
  createDebugAdapterDescriptor({ workspaceFolder }) {
    const [command, ...words] = commandFor(workspaceFolder);
    const cwd = workspaceFolder?.uri.fsPath;
    return new vscode.DebugAdapterExecutable(command, [...words, 'dap'], cwd ? { cwd } : {});
  },
};

const configurations = {
  /** F5 without a launch.json: the folder, if it is a guest folder, else the open file. */
  resolveDebugConfiguration(folder, configuration) {
    if (configuration.type || configuration.request || configuration.name) return configuration;
    const isGuest = folder && existsSync(path.join(folder.uri.fsPath, 'guest.json'));
    const program = isGuest ? folder.uri.fsPath : vscode.window.activeTextEditor?.document.fileName;
    if (program === undefined) return undefined;
    return { type: 'terrarium', request: 'launch', name: 'Terrarium', program, stopOnEntry: true };
  },
};

exports.activate = (context) => {
  context.subscriptions.push(
    vscode.debug.registerDebugAdapterDescriptorFactory('terrarium', adapters),
    vscode.debug.registerDebugConfigurationProvider('terrarium', configurations),
  );
};
