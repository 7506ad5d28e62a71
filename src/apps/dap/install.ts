/**
 * The extension that adds the debug type `terrarium` to VS Code: `editors/vscode`, as a VSIX that VS Code installs itself.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../../command.js';
import { TerrariumError } from '../../errors.js';
import { type ZipFile, zip } from './zip.js';

const NAME = 'terrarium-debug.vsix';
/** How long VS Code may take: milliseconds. */
const TIMEOUT_MS = 120_000;

/** Writes the extension to a file, from which editors can install it. */
export function writeExtension(file: string): void {
  writeFileSync(file, extension());
  process.stdout.write(`${file}: install it with: code --install-extension ${file}\n`);
}

/** Has VS Code's own command install the extension. @param code that command: `code`, `codium` */
export function installExtension(code: string): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-vscode-'));
  try {
    const file = path.join(folder, NAME);
    writeFileSync(file, extension());
    const done = spawnSync(code, ['--install-extension', file, '--force'], {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    });
    if (done.status === 0) {
      process.stdout.write(
        `${code} has the extension now: F5 in a folder of ${command('new')} debugs its kernel\n`,
      );
      return;
    }
    const missing = (done.error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
    const why = missing ? 'the command was not found' : `${done.stdout ?? ''}${done.stderr ?? ''}`.trim();
    throw new TerrariumError('EEDITOR', `${code} did not install the extension: ${why}`, {
      hint: `${command(`dap --vsix ${NAME}`)} writes it; VS Code’s menu of extensions has 'Install from VSIX…'`,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The files of `editors/vscode`, and how this Terrarium is started, as a VSIX. */
function extension(): Uint8Array {
  const root = path.dirname(fileURLToPath(import.meta.resolve('#package')));
  const folder = path.join(root, 'editors', 'vscode');
  const files = readdirSync(folder)
    .sort()
    .map((name): ZipFile => ({ name: `extension/${name}`, bytes: readFileSync(path.join(folder, name)) }));
  const own = [process.execPath, realpathSync(process.argv[1]!)];
  const text = (name: string, content: string): ZipFile => ({ name, bytes: Buffer.from(content, 'utf8') });
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
  return zip([
    text('[Content_Types].xml', contentTypes),
    text('extension.vsixmanifest', packageManifest(manifest)),
    text('extension/terrarium.json', `${JSON.stringify(own)}\n`),
    ...files,
  ]);
}

interface Manifest {
  name: string;
  displayName: string;
  description: string;
  version: string;
  publisher: string;
  engines: { vscode: string };
}

const XML = '<?xml version="1.0" encoding="utf-8"?>';

/** Open Packaging Conventions, part 2: every kind of file has a type. */
const contentTypes = `${XML}
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".json" ContentType="application/json"/>
  <Default Extension=".js" ContentType="application/javascript"/>
  <Default Extension=".md" ContentType="text/markdown"/>
  <Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
`;

function packageManifest({ name, displayName, description, version, publisher, engines }: Manifest): string {
  return `${XML}
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}"/>
    <DisplayName>${displayName}</DisplayName>
    <Description xml:space="preserve">${description}</Description>
    <Categories>Debuggers</Categories>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${engines.vscode}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
  </Assets>
</PackageManifest>
`;
}
