/** The card's registers in words, and the frames that an access sends or reports. */
import { frameWords } from '../../net/index.js';
import type { AccessWords } from '../contract/index.js';
import { bits, words } from '../words.js';
import { MTA, RA, Register, VFTA } from './registers.js';

const causes = bits(
  'transmitted',
  'transmit queue empty',
  'link changed',
  '',
  'few receive descriptors',
  '',
  'receive overrun',
  'received',
  '',
  'MDIO done',
);
const named: Readonly<Record<number, string>> = {
  [Register.ctrl]: 'device control',
  [Register.status]: 'device status',
  [Register.eecd]: 'EEPROM lines',
  [Register.eerd]: 'EEPROM read',
  [Register.ctrlExt]: 'extended device control',
  [Register.mdic]: 'MDI control',
  [Register.itr]: 'interrupt throttling',
  [Register.rctl]: 'receive control',
  [Register.tctl]: 'transmit control',
  [Register.tipg]: 'transmit gap',
  [Register.rdbal]: 'receive ring, address low',
  [Register.rdbah]: 'receive ring, address high',
  [Register.rdlen]: 'receive ring, length',
  [Register.rdh]: 'receive head',
  [Register.rdt]: 'receive tail',
  [Register.rdtr]: 'receive delay',
  [Register.radv]: 'receive absolute delay',
  [Register.tdbal]: 'transmit ring, address low',
  [Register.tdbah]: 'transmit ring, address high',
  [Register.tdlen]: 'transmit ring, length',
  [Register.tdh]: 'transmit head',
  [Register.tdt]: 'transmit tail',
  [Register.tidv]: 'transmit delay',
  [Register.rxcsum]: 'receive checksums',
};
const registers = new Map<number, AccessWords>(
  Object.entries(named).map(([offset, name]) => [Number(offset), words(name)]),
);
for (const [offset, name] of [
  [Register.ics, 'interrupt cause set'],
  [Register.ims, 'interrupt mask set'],
  [Register.imc, 'interrupt mask clear'],
] as const)
  registers.set(offset, words(name, causes));
const tables = [
  { ...MTA, words: words('multicast table') },
  { ...RA, words: words('receive address') },
  { ...VFTA, words: words('VLAN table') },
];
const other = words('another register');

/** The most frames that a line describes; further ones are counted. */
const TOLD = 3;

/** A card's notes on frames, for a trace. */
export class FrameNotes {
  #listens = false;
  #notes: string[] = [];
  #more = 0;

  note(frame: Uint8Array): void {
    if (!this.#listens) return;
    if (this.#notes.length < TOLD) this.#notes.push(frameWords(frame));
    else this.#more++;
  }

  listen(): void {
    this.#listens = true;
  }

  /** The notes since the last call. */
  take(): string {
    const text = [...this.#notes, ...(this.#more > 0 ? [`${this.#more} more`] : [])].join('; ');
    this.#notes = [];
    this.#more = 0;
    return text;
  }
}

/** The words of an access; those that send frames, or learn of received ones, name them. */
export function e1000Words(
  offset: number,
  write: boolean,
  sent: FrameNotes,
  received: FrameNotes,
  cause: () => number,
): AccessWords {
  // A caller that requests one register's words gets the notes from now on.
  sent.listen();
  received.listen();
  if (offset === Register.tdt && write) {
    return { register: 'transmit tail', isCall: true, says: () => after('sends', sent.take()) };
  }
  if (offset === Register.icr && !write) {
    const seen = causes(cause());
    const says = () =>
      [seen, after('has received', received.take())].filter((text) => text !== '').join('; ');
    return { register: 'interrupt cause', isCall: true, says };
  }
  const table = tables.find(({ first, count }) => offset >= first && offset < first + 4 * count);
  return registers.get(offset) ?? table?.words ?? other;
}

const after = (verb: string, frames: string) => (frames === '' ? '' : `${verb} ${frames}`);
