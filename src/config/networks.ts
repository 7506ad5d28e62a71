/**
 * The network of a card, as plain data and on the command line.
 *
 * @module
 */
import { ConfigError } from '../errors.js';
import type { Kind } from './kinds.js';

export const networkKinds = ['user', 'switch', 'tap'] as const;
export type NetworkKind = (typeof networkKinds)[number];

export const cardModels = ['e1000', 'virtio'] as const;
export type CardModel = (typeof cardModels)[number];

/** A port of the host's that leads to one of the guest's. */
export interface Forward {
  hostPort: number;
  guestPort: number;
  /** Default: TCP. */
  udp?: boolean;
  /** The host's address to listen on. Default: its loopback, 127.0.0.1. */
  address?: string;
}

/** A network card and its network. */
export interface NetworkSpec {
  kind: NetworkKind;
  /** The switch, or the host's interface. */
  name?: string;
  forwards?: readonly Forward[];
  /** The guest may reach the world and the host's own services. Default false; the command line's is true. */
  outside?: boolean;
  model?: CardModel;
  /** The card's address: `52:54:00:12:34:56`. */
  mac?: string;
  /** A file for its frames. */
  pcap?: string;
}

const PORT = 65_535;
const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) >= 1 && (value as number) <= PORT;
const isAddress = (value: unknown) =>
  typeof value === 'string' &&
  /^\d{1,3}(\.\d{1,3}){3}$/.test(value) &&
  value.split('.').every((part) => Number(part) < 256);
/** A switch's name is part of a file's name, and an interface's is the kernel's: 15 bytes. */
const isName = (value: unknown) => typeof value === 'string' && /^[A-Za-z0-9][\w.-]{0,14}$/.test(value);
const isMac = (value: unknown) =>
  typeof value === 'string' && /^[\da-f][02468ace](:[\da-f]{2}){5}$/i.test(value);

function isForward(value: unknown): value is Forward {
  if (typeof value !== 'object' || value === null) return false;
  const { hostPort, guestPort, udp, address, ...rest } = value as Record<string, unknown>;
  return (
    isPort(hostPort) &&
    isPort(guestPort) &&
    (udp === undefined || typeof udp === 'boolean') &&
    (address === undefined || isAddress(address)) &&
    Object.keys(rest).length === 0
  );
}

const FORMS =
  'write it as user, switch=NAME or tap=NAME, with ,forward=8080:80 ,restrict ,model=e1000 ,mac=… ,pcap=FILE';

/** A network: `user,forward=8080:80`, `switch=lab`, `tap=tap0,pcap=frames.pcap`. */
export const network: Kind<NetworkSpec> = {
  what: 'a network: { "kind": "user" | "switch" | "tap", "name", "forwards", "outside", "model", "mac", "pcap" }',
  is(value): value is NetworkSpec {
    if (typeof value !== 'object' || value === null) return false;
    const { kind, name, forwards, outside, model, mac, pcap, ...rest } = value as Record<string, unknown>;
    const isUser = kind === 'user';
    return (
      (networkKinds as readonly unknown[]).includes(kind) &&
      (isUser ? name === undefined : isName(name)) &&
      (forwards === undefined || (isUser && Array.isArray(forwards) && forwards.every(isForward))) &&
      (outside === undefined || (isUser && typeof outside === 'boolean')) &&
      (model === undefined || (cardModels as readonly unknown[]).includes(model)) &&
      (mac === undefined || isMac(mac)) &&
      (pcap === undefined || (typeof pcap === 'string' && pcap !== '')) &&
      Object.keys(rest).length === 0
    );
  },
  parse(text) {
    const [head, ...words] = text.split(',');
    const [, kind, name] = /^(user|switch|tap)(?:=(.*))?$/.exec(head!) ?? [];
    if (kind === undefined) throw new ConfigError(`'${text}' is no network`, FORMS);
    const isUser = kind === 'user';
    if (isUser ? name !== undefined : !isName(name))
      throw new ConfigError(
        `'${head}' is no network`,
        isUser ? FORMS : `name it by 1 to 15 letters, digits, dots, - and _: ${kind}=${kind}0`,
      );
    const spec: NetworkSpec = { kind: kind as NetworkKind, ...(name !== undefined && { name }) };
    if (isUser) spec.outside = true;
    for (const word of words) addWord(spec, word);
    return spec;
  },
  write({ kind, name, forwards = [], outside, model, mac, pcap }) {
    const words = [
      name === undefined ? kind : `${kind}=${name}`,
      ...(kind === 'user' && outside !== true ? ['restrict'] : []),
      ...forwards.map((forward) => `forward=${writeForward(forward)}`),
      ...(model === undefined ? [] : [`model=${model}`]),
      ...(mac === undefined ? [] : [`mac=${mac}`]),
      ...(pcap === undefined ? [] : [`pcap=${pcap}`]),
    ];
    return words.join(',');
  },
  schema: { type: 'string' },
};

function addWord(spec: NetworkSpec, word: string): void {
  const [, key, value = ''] = /^([a-z]+)(?:=(.+))?$/.exec(word) ?? [];
  const bad = (hint: string) => new ConfigError(`--net ${spec.kind}: '${word}' is not understood`, hint);
  if (spec.kind !== 'user' && (key === 'forward' || key === 'restrict'))
    throw bad(`only --net user has ${key}: a ${spec.kind} is a network of its own`);
  switch (key) {
    case 'restrict':
      spec.outside = false;
      return;
    case 'forward':
      spec.forwards = [...(spec.forwards ?? []), parseForward(value)];
      return;
    case 'model':
      if (!(cardModels as readonly string[]).includes(value))
        throw bad(`models are ${cardModels.join(', ')}`);
      spec.model = value as CardModel;
      return;
    case 'mac':
      if (!isMac(value)) throw bad('an address is written as 52:54:00:12:34:56, and its first byte is even');
      spec.mac = value;
      return;
    case 'pcap':
      if (value === '') throw bad('name a file: pcap=frames.pcap');
      spec.pcap = value;
      return;
    default:
      throw bad(FORMS);
  }
}

/** `8080:80`, `udp:5353:53`, `0.0.0.0:8080:80`. */
function parseForward(text: string): Forward {
  const [, protocol, address, hostPort, guestPort] =
    /^(?:(tcp|udp):)?(?:([\d.]+):)?(\d+):(\d+)$/.exec(text) ?? [];
  const forward = {
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
    ...(protocol === 'udp' && { udp: true }),
    ...(address !== undefined && { address }),
  };
  if (isForward(forward)) return forward;
  throw new ConfigError(
    `'${text}' is no forward`,
    'write it as HOSTPORT:GUESTPORT with ports from 1 to 65535, such as 8080:80, udp:5353:53 or 0.0.0.0:8080:80',
  );
}

const writeForward = ({ hostPort, guestPort, udp, address }: Forward): string =>
  `${udp ? 'udp:' : ''}${address === undefined ? '' : `${address}:`}${hostPort}:${guestPort}`;
