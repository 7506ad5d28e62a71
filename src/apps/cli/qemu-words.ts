/**
 * QEMU's options, typed out of habit: each becomes the option that does the same here, and a line says so.
 * Source: qemu-system-x86_64(1), version 7.2.
 *
 * @module
 */
import { command } from '../../command.js';
import { ConfigError } from '../../errors.js';
import { quoted } from '../frontend/quoted.js';

/** A command line with our options. */
export interface Translated {
  words: string[];
  /** One line for the user; undefined where no option was QEMU's. */
  note?: string;
}

/** The result for an option: words, or a drive, which may be all that the command line runs. */
type Meaning = (value: string) => readonly string[];

const nothing: Meaning = () => [];
const option =
  (name: string): Meaning =>
  (value) => [name, value];

/** Options with a value. */
const valued: Readonly<Record<string, Meaning>> = {
  '-kernel': (file) => [file],
  '-initrd': option('--initrd'),
  '-append': option('--append'),
  '-hda': option('--disk'),
  '-hdb': option('--disk'),
  '-hdc': option('--disk'),
  '-hdd': option('--disk'),
  '-fda': option('--floppy'),
  '-fdb': option('--floppy'),
  '-cdrom': option('--cdrom'),
  '-drive': drive,
  '-bios': option('--firmware'),
  '-fw_cfg': fwCfg,
  '-boot': (value) => [
    '--boot',
    value
      .replace(/^order=|,.*$/g, '')
      .split('')
      .join(','),
  ],
  '-m': memory,
  '-smp': cpus,
  '-serial': stdio('-serial', 'the guest’s serial port is on stdin and stdout here'),
  '-debugcon': stdio('-debugcon', 'the debug console, port 0xe9, is on stdout here'),
  '-monitor': monitor,
  '-device': device,
  '-netdev': network,
  '-nic': network,
  '-net': network,
  '-display': display,
  '-vga': (value) => (value === 'none' ? [] : ['--vga']),
  '-cpu': nothing,
  '-machine': machine,
  '-M': machine,
  '-accel': accelerator,
  '-gdb': (value) => [`--gdb=${value.replace(/^tcp::/, '')}`],
  '-name': option('--name'),
  '-parallel': stdio('-parallel', 'what the guest prints goes to stdout here'),
  // The clock is the host's, the keyboard that of the terminal, and there is no sound.
  '-rtc': nothing,
  '-k': nothing,
  '-L': nothing,
  '-audiodev': nothing,
  '-soundhw': nothing,
  '-icount': nothing,
};

/** Options without one. */
const plain: Readonly<Record<string, readonly string[]>> = {
  '-nographic': [],
  '-curses': ['--screen'],
  '-enable-kvm': ['--engine', 'kvm'],
  '-no-reboot': [],
  '-no-shutdown': [],
  '-nodefaults': [],
  '-snapshot': [],
  '-usb': [],
  '-no-acpi': [],
  '-no-hpet': [],
  '-no-fd-bootchk': [],
  '-s': ['--gdb=1234'],
  '-S': [],
};

/** Options that have no counterpart, and why. */
const answered: Readonly<Record<string, string>> = {
  '-d': 'each exit as a line is --trace, the end explained is --why',
  '-D': 'a trace goes into a file by --trace=FILE',
  '-vnc': 'the screen is in the terminal by --screen, in a file by --screenshot FILE.png',
  '-loadvm': 'a debugger steps back in time',
};

/** Our options whose values may look like anything. */
const WORDS: ReadonlySet<string> = new Set(['--append', '--cflags', '--type', '--expect']);

const isDrive = (word: string) => word === '--disk' || word === '--floppy' || word === '--cdrom';

/**
 * Translates the words after `run`. A word after `--` is never touched.
 * @throws ConfigError where an option of QEMU's has no counterpart, or lacks its value
 */
export function fromQemu(words: readonly string[]): Translated {
  const out: string[] = [];
  let found = false;
  for (let n = 0; n < words.length; n++) {
    const word = words[n]!;
    if (word === '--') {
      out.push(...words.slice(n));
      break;
    }
    if (WORDS.has(word)) {
      out.push(...words.slice(n, ++n + 1));
      continue;
    }
    if (Object.hasOwn(answered, word)) throw new ConfigError(`${word} is QEMU’s`, answered[word]);
    if (Object.hasOwn(plain, word)) {
      out.push(...plain[word]!);
    } else if (Object.hasOwn(valued, word)) {
      const value = words[++n];
      if (value === undefined)
        throw new ConfigError(`${word} is an option of QEMU’s, and its value is missing`);
      out.push(...valued[word]!(value));
    } else {
      out.push(word);
      continue;
    }
    found = true;
  }
  if (!found) return { words: out };
  const whole = startOfDrive(out, words);
  return {
    words: whole,
    note: `terrarium: QEMU’s options in ours: ${command('run')} ${whole.map(quoted).join(' ')}`,
  };
}

/** Where only drives were named, the first one that QEMU would boot is run. */
function startOfDrive(out: readonly string[], typed: readonly string[]): string[] {
  if (typed.includes('-kernel')) return [...out];
  const first = out.findIndex(isDrive);
  const others = out.some((word, n) => !word.startsWith('-') && !out[n - 1]?.startsWith('-'));
  if (first < 0 || others) return [...out];
  // A disk may have a floppy's size.
  const kind = out[first] === '--disk' ? ['--as', 'disk'] : [];
  return [out[first + 1]!, ...kind, ...out.slice(0, first), ...out.slice(first + 2)];
}

function fwCfg(value: string): readonly string[] {
  const [, name, what, contents] = /^(?:name=)?([^,]*),(file|string)=(.*)$/s.exec(value) ?? [];
  if (name === undefined)
    throw new ConfigError(`-fw_cfg ${value} is QEMU’s`, 'here it is --fw-cfg NAME=FILE or NAME=string:TEXT');
  return ['--fw-cfg', `${name}=${what === 'string' ? 'string:' : ''}${contents}`];
}

function drive(value: string): readonly string[] {
  const fields = new Map(value.split(',').map((one) => one.split('=', 2) as [string, string]));
  const file = fields.get('file');
  if (file === undefined) throw new ConfigError(`-drive ${value} names no file`, 'give a disk: --disk FILE');
  if (fields.get('if') === 'floppy') return ['--floppy', file];
  return fields.get('media') === 'cdrom' ? ['--cdrom', file] : ['--disk', file];
}

/** QEMU counts MiB without a unit. */
function memory(value: string): readonly string[] {
  const [size = ''] = value.replace(/^size=/, '').split(',');
  return ['--memory', /^\d+$/.test(size) ? `${size}M` : size.toUpperCase()];
}

function cpus(value: string): readonly string[] {
  const [, count] = /^(?:cpus=)?(\d+)$/.exec(value.split(',')[0] ?? '') ?? [];
  if (count === undefined)
    throw new ConfigError(`-smp ${value}: how many CPUs is not said`, 'give a number, as in -smp 2');
  return count === '1' ? [] : ['--smp', count];
}

function stdio(word: string, how: string): Meaning {
  return (value) => {
    if (/^(mon:)?stdio$|^none$|^null$/.test(value)) return [];
    throw new ConfigError(`${word} ${value} is QEMU’s: ${how}`, 'leave it out, or send stdout to a file');
  };
}

/** `user,hostfwd=tcp::8080-:80` and the like; the card of `-net nic` is there with its network. */
function network(value: string): readonly string[] {
  const [kind = '', ...fields] = value.split(',');
  if (kind === 'none' || kind === 'nic') return [];
  const valuesOf = (name: string) =>
    fields.flatMap((field) => (field.startsWith(`${name}=`) ? [field.slice(name.length + 1)] : []));
  const [tap] = valuesOf('ifname');
  if (kind !== 'user' && !(kind === 'tap' && tap !== undefined))
    throw new ConfigError(
      `a network of ${kind} is QEMU’s`,
      'here there is --net user, --net switch=NAME between machines, and --net tap=NAME',
    );
  const forwards = valuesOf('hostfwd').map((rule) => {
    const [, host, guest] = /^tcp:[^:]*:(\d+)-[^:]*:(\d+)$/.exec(rule) ?? [];
    if (host === undefined)
      throw new ConfigError(`hostfwd=${rule} is QEMU’s`, 'here it is --net user,forward=8080:80');
    return `,forward=${host}:${guest}`;
  });
  const card = valuesOf('model').some((model) => model.startsWith('e1000')) ? ',model=e1000' : '';
  return ['--net', `${kind === 'tap' ? `tap=${tap}` : 'user'}${forwards.join('')}${card}`];
}

/** A card whose network `-netdev` names comes with it; ours is the virtio one. */
function device(value: string): readonly string[] {
  if (/^virtio-net[^,]*,.*netdev=|^pvpanic|^isa-debug-exit(,iobase=0x501.*)?$/.test(value)) return [];
  if (value === 'VGA') return ['--vga'];
  if (/^isa-debug-exit,iobase=0xf4/.test(value))
    throw new ConfigError(
      `-device ${value} is QEMU’s`,
      'leave it out: port 0xf4 ends the run, and the exit status is the value itself, not (value << 1) | 1; as in QEMU it is at port 0x501',
    );
  throw new ConfigError(
    `-device ${value} is QEMU’s`,
    'devices of the PC are there without a word; a network card is --net user,model=e1000; one of your own is --device MODULE',
  );
}

function monitor(value: string): readonly string[] {
  if (value === 'none' || value === '/dev/null') return [];
  throw new ConfigError(`-monitor ${value} is QEMU’s`, `look into a machine: ${command('debug')}`);
}

function display(value: string): readonly string[] {
  return value === 'none' ? [] : ['--screen'];
}

function machine(value: string): readonly string[] {
  return /accel=kvm/.test(value) ? ['--engine', 'kvm'] : /accel=tcg/.test(value) ? ['--engine', 'soft'] : [];
}

function accelerator(value: string): readonly string[] {
  return ['--engine', value.startsWith('kvm') ? 'kvm' : 'soft'];
}
